"""One Apache Kafka node in a container, where a Docker engine answers.

The image gets the settings of `node_settings`, so a container and a local node behave alike.
"""

from __future__ import annotations

import contextlib
import gc
import time
import warnings
from collections.abc import Iterator

from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from tests.kafka.broker_jars import BrokerUnavailableError
from tests.kafka.broker_settings import NodeAddress, container_environment, node_settings
from tests.kafka.local_broker import (
    POLL_INTERVAL_S,
    START_TIMEOUT_S,
    admin_client,
    choose_addresses,
    is_serving,
)
from tests.kafka.local_node import BrokerFailedError

IMAGE = "apache/kafka:4.1.1"


@contextlib.contextmanager
def container_broker() -> Iterator[str]:
    """Run one node in a container and yield its address.

    Raises
    ------
    BrokerUnavailableError
        No Docker engine answers.
    """
    host = _engine_host()
    address = choose_addresses(n_nodes=1)[0]._replace(host=host)
    container = DockerContainer(IMAGE).with_bind_ports(address.client_port, address.client_port)
    for name, value in _environment(address).items():
        container = container.with_env(name, value)
    with container:
        _wait_until_serving(address.bootstrap, container)
        yield address.bootstrap


def _engine_host() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            client = DockerClient()
            client.client.ping()
        except Exception as problem:  # of many kinds, all of which mean that no engine answers
            missing = BrokerUnavailableError(f"no Docker engine answers ({type(problem).__name__})")
        else:
            return client.host()
        gc.collect()  # docker-py leaves the socket of a refused connection to the collector
    raise missing


def _environment(address: NodeAddress) -> dict[str, str]:
    """Return the image's variables: listen on every interface, advertise the engine's host."""
    settings = node_settings(address._replace(host="localhost"), [address], "/var/lib/kafka/data")
    settings["controller.quorum.voters"] = f"1@localhost:{address.controller_port}"
    settings["listeners"] = (
        f"PLAINTEXT://0.0.0.0:{address.client_port},CONTROLLER://localhost:{address.controller_port}"
    )
    settings["advertised.listeners"] = f"PLAINTEXT://{address.bootstrap}"
    return container_environment(settings)


def _wait_until_serving(bootstrap: str, container: DockerContainer) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    client = admin_client(bootstrap)
    while not is_serving(client):
        if time.monotonic() > deadline:
            output = b"\n".join(container.get_logs()).decode(errors="replace")
            raise BrokerFailedError(
                f"{IMAGE} does not serve after {START_TIMEOUT_S:.0f} s:\n{output}"
            )
        time.sleep(POLL_INTERVAL_S)
