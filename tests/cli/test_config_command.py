"""Laws of ``stream-rec config``: effective values, their origins, no secrets."""

import json

from stream_rec.config_sources import known_keys

LOGIN = (
    "--set=kafka.security_protocol=SASL_PLAINTEXT",
    "--set=kafka.sasl_username=recommender",
    "--set=kafka.sasl_password=hunter2",
)


def test_show_names_every_setting(stream_rec):
    shown = json.loads(stream_rec("config", "show", "--json").output)
    leaves = {".".join(key) for key in known_keys() if key[:2] != ("events", "types")}
    assert leaves <= set(shown)
    assert shown["events.types.rating.scale"]["value"] == [0.0, 10.0]


def test_show_says_where_a_value_came_from(stream_rec, monkeypatch):
    monkeypatch.setenv("STREAM_REC_KAFKA__BROKER", "kafka:9092")
    lines = stream_rec("config", "show", "--set", "app_id=films").output.splitlines()
    shown = {line.split()[0]: line for line in lines}
    assert shown["app_id"].endswith("  # override (--set)")
    assert shown["kafka.broker"].endswith("# environment variable STREAM_REC_KAFKA__BROKER")
    assert "#" not in shown["model.seed"]


def test_show_changed_leaves_defaults_out(stream_rec):
    result = stream_rec("config", "show", "--changed", "--set", "app_id=films")
    assert result.output == 'app_id = "films"  # override (--set)\n'
    assert stream_rec("config", "show", "--changed").output == ""


def test_show_masks_secrets(stream_rec):
    for form in ((), ("--json",)):
        result = stream_rec("config", "show", *form, *LOGIN)
        assert result.exit_code == 0
        assert "hunter2" not in result.output
        assert "********" in result.output


def test_absent_secret_is_not_masked(stream_rec):
    shown = json.loads(stream_rec("config", "show", "--json").output)
    assert shown["kafka.sasl_password"]["value"] is None


def test_check_accepts_what_is_right(stream_rec):
    result = stream_rec("config", "check", *LOGIN)
    assert result.exit_code == 0
    assert result.output.startswith("configuration is right: 3 of its values set")


def test_check_reads_certificates(stream_rec, tmp_path):
    ca = tmp_path / "ca.pem"
    security = ("--set=kafka.security_protocol=SSL", f"--set=kafka.ssl_cafile={ca}")
    missing = stream_rec("config", "check", *security)
    ca.write_text("not a certificate")
    unreadable = stream_rec("config", "check", *security)
    assert (missing.exit_code, unreadable.exit_code) == (2, 2)
    assert f"came {ca}, in kafka.ssl_cafile" in missing.stderr
    assert "expected PEM certificates" in unreadable.stderr


def test_check_accepts_the_embedded_broker(stream_rec):
    assert stream_rec("--config", "config/embedded.toml", "config", "check").exit_code == 0
