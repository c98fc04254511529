"""The settings of test brokers: one function, used by local nodes and by containers.

Every node is broker and controller (KRaft combined mode). Replication is 3 where there are 3 nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

MIB = 1 << 20


class NodeAddress(NamedTuple):
    """Where one node listens for clients and for the controller quorum."""

    node_id: int
    client_port: int
    controller_port: int
    host: str = "127.0.0.1"

    @property
    def bootstrap(self) -> str:
        """``host:port`` for a client's ``bootstrap.servers``."""
        return f"{self.host}:{self.client_port}"


def node_settings(
    node: NodeAddress, cluster: Sequence[NodeAddress], log_dir: str
) -> dict[str, str]:
    """Return the ``server.properties`` of one node of a test cluster.

    Parameters
    ----------
    node : NodeAddress
        The node to configure, one of `cluster`.
    cluster : sequence of NodeAddress
        All nodes; each of them votes in the controller quorum.
    log_dir : str
        The folder of the node's logs, empty or formatted for this cluster.
    """
    n_replicas = str(min(3, len(cluster)))
    n_in_sync = str(min(2, len(cluster)))
    voters = ",".join(f"{peer.node_id}@{peer.host}:{peer.controller_port}" for peer in cluster)
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.node_id),
        "controller.quorum.voters": voters,
        "listeners": f"PLAINTEXT://{node.host}:{node.client_port},"
        f"CONTROLLER://{node.host}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{node.bootstrap}",
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": log_dir,
        "default.replication.factor": n_replicas,
        "min.insync.replicas": n_in_sync,
        "offsets.topic.replication.factor": n_replicas,
        "transaction.state.log.replication.factor": n_replicas,
        "transaction.state.log.min.isr": n_in_sync,
        "share.coordinator.state.topic.replication.factor": n_replicas,
        "share.coordinator.state.topic.min.isr": n_in_sync,
        # Small and quick, since a test cluster lives for minutes on few cores.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "1000",
        "log.cleaner.dedupe.buffer.size": str(16 * MIB),
        "num.network.threads": "2",
        "num.io.threads": "4",
        # A misspelt topic must fail, not appear.
        "auto.create.topics.enable": "false",
    }


def format_properties(settings: Mapping[str, str]) -> str:
    """Return settings as the text of a Java properties file."""
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def container_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings as the environment variables that the ``apache/kafka`` image reads."""
    return {"KAFKA_" + key.upper().replace(".", "_"): value for key, value in settings.items()}
