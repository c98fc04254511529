"""`stream-rec serve` as a process: when it refuses to start, over TLS, and two beside a worker."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from stream_rec.bench.processes import Contestant
from stream_rec.cli.main import cli
from stream_rec.config import Settings, load_settings
from stream_rec.serving.server import run_service
from stream_rec.stream.worker import run_worker

AT = "serving at "
EVENT = {"item": "i1", "type": "click", "ts": 1_700_000_000}

pytestmark = pytest.mark.timeout(600)  # the first may have to compile the kernels


def run_announced(settings: Settings) -> int:
    return run_service(settings, lambda url: print(f"{AT}{url}", flush=True))


class Serve(Contestant):
    """A service with a folder of its own, on a free port."""

    def __init__(self, settings: Settings, folder: Path, **options: object) -> None:
        folder.mkdir()
        own = {"state_dir": folder, "port": 0, "wait_ms_max": 20_000, **options}
        serve = settings.serve.model_copy(update=own)
        settings = settings.model_copy(update={"serve": serve})
        super().__init__(folder.name, folder, run_announced, settings)

    def url(self) -> str:
        self.wait_until(lambda: AT in self.log())
        return self.log().partition(AT)[2].split()[0]


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[Contestant]:
    state = settings.worker.model_copy(update={"state_dir": tmp_path / "worker"})
    settings = settings.model_copy(update={"worker": state})
    with Contestant("worker", tmp_path, run_worker, settings) as worker:
        yield worker


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_it_does_not_start_without_a_key_where_others_can_reach_it(host: str) -> None:
    arguments = ["serve", "--set", f"serve.host={host}", "--set", "serve.port=0"]
    refused = CliRunner().invoke(cli, arguments)
    assert refused.exit_code not in (0, None)
    said = " ".join(str(refused.exception or "").split()) + " ".join(refused.output.split())
    for words in ("can be reached from other machines", "stream-rec keys new", "127.0.0.1"):
        assert words in said
    assert AT not in said


def test_two_services_beside_a_worker_give_the_same_lists(
    settings: Settings, worker: Contestant, tmp_path: Path
) -> None:
    worker.wait_until_ready()
    with Serve(settings, tmp_path / "one") as one, Serve(settings, tmp_path / "two") as two:
        for user in ("ann", "bob"):
            events = [{**EVENT, "user": user, "item": f"{user}-{x}"} for x in range(3)]
            written = httpx.post(f"{one.url()}events", json=events)
            assert written.status_code == 202, written.text
        place = written.json()["events"][-1]
        path = f"users/bob/recommendations?wait_for={place['partition']}:{place['offset']}"
        lists = [httpx.get(service.url() + path, timeout=30).json() for service in (one, two)]
        assert lists[0]["reflects"] is True
        assert lists[0] == lists[1]
        assert {"ann-0", "ann-1", "ann-2"} <= {entry["item"] for entry in lists[0]["items"]}
        one.stop()
        assert httpx.get(two.url() + path).json() == lists[1]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the program openssl")
def test_it_serves_over_tls(settings: Settings, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}"
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make.split(), *named], check=True, capture_output=True)
    options = {"ssl_certfile": certificate, "ssl_keyfile": key}
    with Serve(settings, tmp_path / "one", **options) as serve:
        url = serve.url()
        assert url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=str(certificate))
        assert httpx.get(f"{url}healthz", verify=trusted).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{url}healthz")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"http{url.removeprefix('https')}healthz")


def test_a_key_file_without_its_certificate_is_refused() -> None:
    with pytest.raises(Exception, match=r"serve\.ssl_certfile"):
        load_settings(None, {"serve.ssl_keyfile": "key.pem"})
