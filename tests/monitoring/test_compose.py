"""The profile `monitoring` of docker-compose.yml: what it starts finds what it reads."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from stream_rec.config import load_settings
from tests.monitoring.expressions import DASHBOARDS, FOLDER, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = {
    name: service
    for name, service in COMPOSE["services"].items()
    if service.get("profiles") == ["monitoring"]
}
GRAFANA = FOLDER / "grafana"
CONFIG = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
JOBS = {job["job_name"]: job for job in CONFIG["scrape_configs"]}


def mounts(service: str) -> dict[str, Path]:
    """Return the files of the repository by the path at which a container sees them."""
    bound = [text.split(":") for text in SERVICES[service]["volumes"] if text.startswith("./")]
    assert all(mode == "ro" for _, _, mode in bound), "the containers may only read them"
    return {inside: ROOT / outside for outside, inside, _ in bound}


def ini(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read_string(path.read_text())
    return parser


def test_prometheus_and_grafana_start_only_when_asked_for() -> None:
    assert set(SERVICES) == {"prometheus", "grafana"}


@pytest.mark.parametrize("name", SERVICES)
def test_versions_are_pinned_and_ports_are_this_machines(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"(prom|grafana)/\w+:v?\d+\.\d+\.\d+", service["image"])
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    port = service["ports"][0].rpartition(":")[2]
    assert f"http://127.0.0.1:{port}/" in service["healthcheck"]["test"][-1]


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    assert [str(path) for path in mounts(name).values() if not path.exists()] == []
    named = {text.split(":")[0] for text in SERVICES[name]["volumes"]} & set(COMPOSE["volumes"])
    assert named == {f"{name}-data"}


def test_prometheus_finds_rules_and_key_beside_its_configuration() -> None:
    inside = mounts("prometheus")
    (config,) = (Path(path) for path, file in inside.items() if file == FOLDER / "prometheus.yml")
    assert config == Path("/etc/prometheus/prometheus.yml"), "where the image looks for it"
    assert all(str(config.parent / rules) in inside for rules in CONFIG["rule_files"])
    (key,) = SERVICES["prometheus"]["configs"]
    assert str(config.parent / JOBS["serve"]["authorization"]["credentials_file"]) == key["target"]
    assert COMPOSE["configs"][key["source"]] == {"content": "${STREAM_REC_METRICS_KEY:-none}"}


def test_prometheus_looks_for_workers_and_services_where_they_listen() -> None:
    settings = load_settings(ROOT / "config" / "docker.toml")
    for job, port in (("worker", settings.worker.web_port), ("serve", settings.serve.port)):
        (discovery,) = JOBS[job]["dns_sd_configs"]
        assert (discovery["names"], discovery["port"]) == ([job], port)
        assert job in COMPOSE["services"]
        assert discovery["type"] == "A"


def test_grafana_finds_its_settings_prometheus_and_the_dashboard() -> None:
    inside = mounts("grafana")
    assert inside["/etc/grafana/grafana.ini"] == GRAFANA / "grafana.ini"
    provisioning = inside["/etc/grafana/provisioning"]
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    address = urlsplit(source["url"])
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    assert SERVICES[str(address.hostname)]["ports"] == [f"127.0.0.1:{address.port}:{address.port}"]

    (provider,) = yaml.safe_load((provisioning / "dashboards" / "stream-rec.yml").read_text())[
        "providers"
    ]
    folder = provider["options"]["path"]
    assert inside[folder] == DASHBOARDS
    home = Path(ini(GRAFANA / "grafana.ini")["dashboards"]["default_home_dashboard_path"])
    assert str(home.parent) == folder
    assert "panels" in json.loads((DASHBOARDS / home.name).read_text())


def test_nobody_can_log_in_to_grafana_without_a_password_of_the_operators() -> None:
    settings = ini(GRAFANA / "grafana.ini")
    assert settings["auth.anonymous"]["enabled"] == "true"
    assert settings["auth.anonymous"]["org_role"] == "Viewer"
    assert settings["security"]["disable_initial_admin_creation"] == "true"
    assert SERVICES["grafana"]["environment"] == {
        "GF_SECURITY_ADMIN_PASSWORD": "${GRAFANA_ADMIN_PASSWORD:-}",
        "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "${GRAFANA_ADMIN_PASSWORD:+false}",
    }
