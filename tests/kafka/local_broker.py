"""A real Apache Kafka on this machine without Docker: one node or a small KRaft cluster.

    python -m tests.kafka.local_broker             one node; prints its address, stops on Ctrl-C
    python -m tests.kafka.local_broker --nodes 3   three nodes, replication 3

In tests a `LocalCluster` is a context manager. Its nodes can be stopped, killed, frozen and started
again on the same ports and logs. The command starts the same cluster for people and benchmarks.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import shutil
import signal
import socket
import tempfile
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.kafka.broker_jars import BrokerUnavailableError
from tests.kafka.broker_settings import NodeAddress, node_settings
from tests.kafka.local_node import BrokerFailedError, LocalNode

START_TIMEOUT_S = 90.0
POLL_INTERVAL_S = 0.1


class LocalCluster:
    """A KRaft cluster of `LocalNode` on free ports of the loopback address.

    Parameters
    ----------
    n_nodes : int
        1, or 3 for replication and failover.
    folder : Path, optional
        Where data is kept; a scratch folder that is removed at the end when not given.
    first_port : int, optional
        The client port of the first node, the following ports for the rest; free ones when not
        given.
    overrides : mapping of str to str
        Broker settings on top of `node_settings`.

    Examples
    --------
    >>> with LocalCluster(n_nodes=3) as cluster:  # doctest: +SKIP
    ...     cluster.nodes[0].kill()
    ...     cluster.nodes[0].start()
    ...     cluster.wait_until_ready()
    """

    def __init__(
        self,
        n_nodes: int = 1,
        folder: Path | None = None,
        first_port: int | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        self._scratch = (
            Path(tempfile.mkdtemp(prefix="stream-rec-kafka-")) if folder is None else None
        )
        self._overrides = dict(overrides or {})
        self._folder = folder or self._scratch or Path()
        self.nodes = [
            LocalNode(address, self._folder / f"node-{address.node_id}")
            for address in choose_addresses(n_nodes, first_port)
        ]

    @property
    def bootstrap(self) -> str:
        """The addresses of all nodes, for a client's ``bootstrap.servers``."""
        return ",".join(node.address.bootstrap for node in self.nodes)

    def start(self) -> None:
        """Format, start and wait until every node serves clients."""
        cluster_id = _keep_cluster_id(self._folder / "cluster-id")
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: self._format(node, cluster_id), self.nodes))
        for node in self.nodes:
            node.start()
        self.wait_until_ready()

    def wait_until_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until the started nodes are registered and every partition has a leader.

        Raises
        ------
        BrokerFailedError
            A node ended, or the cluster was not ready in time.
        """
        deadline = time.monotonic() + timeout_s
        client = admin_client(self.bootstrap)
        expected = {node.address.node_id for node in self.nodes if node.is_expected}
        while not is_serving(client, expected):
            for node in self.nodes:
                if node.is_expected and not node.is_running:
                    raise BrokerFailedError(
                        f"node {node.address.node_id} ended:\n{node.log_tail()}"
                    )
            if time.monotonic() > deadline:
                tails = "\n".join(node.log_tail() for node in self.nodes)
                raise BrokerFailedError(
                    f"the cluster is not ready after {timeout_s:.0f} s:\n{tails}"
                )
            time.sleep(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Stop every node: in order when its data is kept, at once when it is scratch."""
        if self._scratch is None:
            for node in self.nodes:
                node.request_stop()
            for node in self.nodes:
                node.stop()
            return
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _format(self, node: LocalNode, cluster_id: str) -> None:
        addresses = [each.address for each in self.nodes]
        settings = node_settings(node.address, addresses, str(node.folder / "data"))
        node.format(cluster_id, {**settings, **self._overrides})


def is_serving(client: AdminClient, node_ids: Collection[int] = ()) -> bool:
    """Whether these nodes are registered brokers and every partition has a leader."""
    try:
        seen = client.list_topics(timeout=2)
    except KafkaException:
        return False
    partitions = [p for topic in seen.topics.values() for p in topic.partitions.values()]
    return set(node_ids) <= set(seen.brokers) and all(p.leader >= 0 for p in partitions)


def admin_client(bootstrap: str) -> AdminClient:
    """Return an admin client that keeps quiet while a broker is not there yet."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def _keep_cluster_id(file: Path) -> str:
    """Return the cluster id of a data folder; a new one (16 bytes in base64) for a new folder."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    return file.read_text()


def choose_addresses(n_nodes: int, first_port: int | None = None) -> list[NodeAddress]:
    """Return ids from 1 and loopback ports: free ones, or a run of ports from `first_port` on."""
    if first_port is None:
        ports = _free_ports(2 * n_nodes)
    else:
        ports = list(range(first_port, first_port + 2 * n_nodes))
    return [
        NodeAddress(node_id, ports[node_id - 1], ports[n_nodes + node_id - 1])
        for node_id in range(1, n_nodes + 1)
    ]


def _free_ports(n_ports: int) -> list[int]:
    """Return distinct ports that were free a moment ago, all held until the last is found."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(n_ports)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C, so that the cluster is stopped in order."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a cluster until a signal comes; its address is the only line on standard output."""
    parser = argparse.ArgumentParser(prog="python -m tests.kafka.local_broker", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--nodes", type=int, default=1, help="number of nodes (default 1)")
    parser.add_argument(
        "--port", type=int, help="client port of the first node (default: a free one)"
    )
    parser.add_argument(
        "--folder", type=Path, help="keep the data here (default: a scratch folder)"
    )
    given = parser.parse_args(arguments)
    try:
        cluster = LocalCluster(given.nodes, given.folder, given.port)
        with _ended_by_signal(), cluster:
            print(cluster.bootstrap, flush=True)
            signal.pause()
    except (BrokerUnavailableError, BrokerFailedError) as problem:
        parser.exit(1, f"{parser.prog}: {problem}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
