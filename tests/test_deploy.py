"""docker-compose.yml and the Dockerfile agree with the configuration and with the tests' broker.

No Docker engine is needed: what can be read off the files is checked here.
"""

from __future__ import annotations

import http.server
import json
import re
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from jsonschema import Draft202012Validator

from stream_rec.cli.main import cli
from stream_rec.config import Settings, load_settings
from tests.kafka.broker_jars import POM
from tests.kafka.broker_settings import NodeAddress, container_environment, node_settings
from tests.kafka.container_broker import IMAGE

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
KAFKA, TOPICS, WORKER, SERVE = (
    COMPOSE["services"][name] for name in ("kafka", "topics", "worker", "serve")
)
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
LISTENER_SETTINGS = {
    "KAFKA_LISTENERS",
    "KAFKA_ADVERTISED_LISTENERS",
    "KAFKA_CONTROLLER_QUORUM_VOTERS",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
}
HEALTHCHECK = ROOT / "deploy" / "healthcheck.py"


def instructions(name: str) -> list[str]:
    """Return the arguments of every Dockerfile instruction of a kind."""
    return re.findall(rf"^{name} +(.*)$", DOCKERFILE, re.MULTILINE)


def listeners(setting: str) -> dict[str, str]:
    """Return a listener setting of the compose file as address by name."""
    return dict(text.split("://") for text in KAFKA["environment"][setting].split(","))


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(ROOT / "config" / "docker.toml")


def test_compose_file_follows_the_specification() -> None:
    schema = json.loads((ROOT / "tests" / "compose.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(COMPOSE)


def test_compose_kafka_is_the_tests_kafka() -> None:
    address = NodeAddress(1, 29092, 9093)
    tested = container_environment(node_settings(address, [address], "/var/lib/kafka/data"))
    composed = dict(KAFKA["environment"])
    assert len(composed.pop("CLUSTER_ID")) == 22
    assert {name: composed[name] for name in composed if name not in LISTENER_SETTINGS} == {
        name: tested[name] for name in tested if name not in LISTENER_SETTINGS
    }
    assert set(composed) == set(tested)


def test_one_kafka_version_everywhere() -> None:
    version = ElementTree.parse(POM).findtext(".//{*}kafka.version")
    assert KAFKA["image"] == IMAGE == f"apache/kafka:{version}"


def test_every_listener_is_advertised_and_mapped() -> None:
    names = set(listeners("KAFKA_LISTENERS"))
    protocols = KAFKA["environment"]["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    assert names == {text.split(":")[0] for text in protocols}
    assert names - {"CONTROLLER"} == set(listeners("KAFKA_ADVERTISED_LISTENERS"))


def test_containers_reach_kafka_where_it_listens(settings: Settings) -> None:
    assert settings.kafka.broker == listeners("KAFKA_ADVERTISED_LISTENERS")["PLAINTEXT"]
    host, port = settings.kafka.broker.split(":")
    assert host == KAFKA["hostname"]
    assert listeners("KAFKA_LISTENERS")["PLAINTEXT"] == f":{port}"
    assert f"localhost:{port}" in KAFKA["healthcheck"]["test"]


def test_this_machine_reaches_kafka_with_the_default_settings() -> None:
    port = Settings().kafka.broker.split(":")[1]
    assert listeners("KAFKA_ADVERTISED_LISTENERS")["HOST"] == Settings().kafka.broker
    assert listeners("KAFKA_LISTENERS")["HOST"] == f":{port}"
    assert KAFKA["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_topics_can_be_created_on_one_node(settings: Settings) -> None:
    assert settings.topics.replication_factor == 1
    assert settings.topics.min_insync_replicas == 1


@pytest.mark.parametrize("service", [TOPICS, WORKER, SERVE], ids=["topics", "worker", "serve"])
def test_services_run_commands_that_exist_with_the_docker_settings(service: dict[str, Any]) -> None:
    command: Any = cli
    for name in service["command"]:
        command = command.commands[name]
    assert service["environment"]["STREAM_REC_CONFIG"] == "/etc/stream-rec/docker.toml"
    assert service["image"] == "stream-rec"
    assert instructions("ENTRYPOINT") == ['["stream-rec"]']


def test_services_start_in_order() -> None:
    assert TOPICS["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert WORKER["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}


def test_the_service_is_published_to_this_machine_and_wants_keys(settings: Settings) -> None:
    port = settings.serve.port
    assert SERVE["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert not settings.serve.is_local
    assert SERVE["environment"]["STREAM_REC_SERVE__KEYS"] == "${STREAM_REC_SERVE__KEYS:-[]}"
    assert SERVE["volumes"] == [str(settings.serve.state_dir)]


def test_workers_can_be_scaled() -> None:
    assert not {"container_name", "hostname", "ports"} & set(WORKER)


def test_every_worker_keeps_its_state_in_a_volume_of_its_own(settings: Settings) -> None:
    folder = str(settings.worker.state_dir)
    assert WORKER["volumes"] == instructions("VOLUME") == [folder]
    assert any(
        f"--owner stream-rec --group stream-rec {folder}" in run for run in instructions("RUN")
    )


def test_a_worker_has_the_time_to_stop(settings: Settings) -> None:
    assert float(WORKER["stop_grace_period"].rstrip("s")) > settings.worker.shutdown_timeout_s


def test_the_health_check_can_reach_the_worker(settings: Settings) -> None:
    assert settings.worker.web_enabled
    assert settings.worker.web_host in ("0.0.0.0", "127.0.0.1")
    assert instructions("EXPOSE") == [str(settings.worker.web_port)]
    assert "/etc/stream-rec/healthcheck.py" in DOCKERFILE.split("HEALTHCHECK")[1]
    assert TOPICS["healthcheck"] == {"disable": True}


def test_the_image_holds_locked_versions_and_runs_without_root() -> None:
    runs = instructions("RUN")
    assert "pip install --require-hashes --requirement requirements.lock" in runs
    assert instructions("USER") == ["stream-rec"]
    assert DOCKERFILE.index("USER stream-rec") < DOCKERFILE.index("ENTRYPOINT")
    assert all(re.search(r":\d+\.\d+", image) for image in instructions("FROM"))


def test_the_image_copies_files_that_reach_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    copies = [each.split()[:-1] for each in instructions("COPY") if not each.startswith("--from")]
    copied = {path for paths in copies for path in paths}
    assert {path.split("/")[0] for path in copied} == kept
    assert [path for path in copied if not (ROOT / path).exists()] == []


class StatsPage(http.server.BaseHTTPRequestHandler):
    """The web server of a worker or of the service, as far as the health check sees it."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path in ("/stats", "/healthz") else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def stats_port() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), StatsPage) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_address[1]
        server.shutdown()
        serving.join()


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Serve the pages over TLS with a certificate for another name; its path beside the port."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout {key} -out {certificate}"
    made = [*make.split(), "-subj", "/CN=shop.example"]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.HTTPServer(("127.0.0.1", 0), StatsPage) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server.server_address[1], certificate
        server.shutdown()
        serving.join()


def run_healthcheck(port: int, *what: str, **settings: str) -> subprocess.CompletedProcess[str]:
    setting = "STREAM_REC_SERVE__PORT" if what else "STREAM_REC_WORKER__WEB_PORT"
    environment = {setting: str(port), "PYTHONPATH": str(ROOT), **settings}
    return subprocess.run(
        [sys.executable, str(HEALTHCHECK), *what],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_health_check_passes_while_the_worker_answers(stats_port: int) -> None:
    assert run_healthcheck(stats_port).returncode == 0
    assert run_healthcheck(stats_port, "serve").returncode == 0


def test_health_check_asks_over_tls_where_the_service_has_a_certificate(
    tls_port: tuple[int, Path],
) -> None:
    port, certificate = tls_port
    done = run_healthcheck(port, "serve", STREAM_REC_SERVE__SSL_CERTFILE=str(certificate))
    assert done.returncode == 0, done.stderr


def test_health_check_fails_where_nobody_answers() -> None:
    done = run_healthcheck(1)
    assert done.returncode == 1
    assert "does not answer on port 1" in done.stderr


def test_the_image_compiles_the_kernels_while_it_is_built() -> None:
    (command,) = (run.split()[1:] for run in instructions("RUN") if run.startswith("stream-rec"))
    assert [cli.commands[name].name for name in command] == ["compile"]
    assert (
        DOCKERFILE.index("USER") < DOCKERFILE.index("RUN stream-rec") < DOCKERFILE.index("VOLUME")
    )
