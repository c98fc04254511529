"""Who may do what, and where a service without keys may listen."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_rec.config import ServeSettings
from stream_rec.errors import ConfigError
from stream_rec.serving.gate import RateLimit
from stream_rec.serving.keys import Keys, new_key
from stream_rec.serving.server import load_keys


def test_a_service_without_keys_listens_on_this_machine_only() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        assert len(load_keys(ServeSettings(host=host))) == 0
    for host in ("0.0.0.0", "::", "192.168.1.7", "shop.example"):
        with pytest.raises(ConfigError, match="stream-rec keys new"):
            load_keys(ServeSettings(host=host))


def test_keys_come_from_settings_and_file(tmp_path: Path) -> None:
    one, one_key = new_key("one", ["read"])
    two, two_key = new_key("two", ["write", "admin"])
    path = tmp_path / "keys.txt"
    path.write_text(f"# ours\n{two}  # of the shop\n\n")
    keys = load_keys(ServeSettings(host="0.0.0.0", keys=(one,), keys_file=path))
    found = keys.find(one_key), keys.find(two_key)
    assert [caller and (caller.name, set(caller.scopes)) for caller in found] == [
        ("one", {"read"}),
        ("two", {"write", "admin"}),
    ]
    assert keys.find("sr_guess") is None
    assert one_key not in one


@pytest.mark.parametrize("entry", ["", "a:read", "a:all:" + "0" * 64, "a:read:" + "x" * 64])
def test_what_is_no_key_is_refused(entry: str) -> None:
    with pytest.raises(ConfigError, match="name:scopes:hash"):
        Keys([entry])


def test_a_bucket_fills_up_at_its_rate() -> None:
    limit = RateLimit(per_s=2.0, burst=3)
    assert [limit.wait_s("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert limit.wait_s("b", 0.0) == 0.0
    assert limit.wait_s("a", 0.5) == 0.0
    assert limit.wait_s("a", 0.5) > 0.0
    assert [limit.wait_s("a", 100.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
