"""The embedded broker: librdkafka's mock cluster, in a process of its own.

A real Kafka listener on localhost without Docker or JVM, for the demo and for tests that need one
worker and no durability: everything is in memory, topics are not compacted, and a partition keeps
about 5 MB or 100,000 records. It knows no CreateTopics request, and a topic that is created by
being asked for has four partitions; topics with another number are created here, through the C
interface of the mock cluster (``rdkafka_mock.h``), while the broker starts.

    with EmbeddedBroker({"events": 8}) as broker:
        settings = load_settings(overrides={"kafka.broker": broker.address, "kafka.embedded": True})

The process ends with its parent: it reads its standard input, which the parent holds open, until
that is closed. As a command it serves until its input ends or it is told to stop:

    python -m stream_rec.stream.embedded --topic events:8 --topic recommendations:8
"""

from __future__ import annotations

import argparse
import ctypes
import importlib.metadata
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from stream_rec.errors import StreamRecError

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
ERROR_TEXT_BYTES = 512
RD_KAFKA_PRODUCER = 0
LOG_LEVEL_ERROR = b"3"


class EmbeddedBrokerError(StreamRecError):
    """The embedded broker could not be started."""


class EmbeddedBroker:
    """A broker process that lives as long as the context, and no longer than this process.

    Parameters
    ----------
    topics : Mapping[str, int]
        Number of partitions of each topic to create. Others are created with four partitions when
        they are first asked for.
    """

    def __init__(self, topics: Mapping[str, int]) -> None:
        self._topics = dict(topics)
        self._process: subprocess.Popen[str] | None = None
        self.address = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Start the process and return the address (``host:port``) that it listens on."""
        command = [sys.executable, "-m", "stream_rec.stream.embedded"]
        for topic, n_partitions in self._topics.items():
            command += ["--topic", f"{topic}:{n_partitions}"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            code = self._process.wait(START_TIMEOUT_S)
            self.stop()
            raise EmbeddedBrokerError(
                f"expected the embedded broker to print its address, came exit status {code}; "
                f"its own error message is above"
            )
        return self.address

    def stop(self) -> None:
        """End the process by closing its input; by force if it does not end in time."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


class MockCluster:
    """librdkafka's mock cluster with one broker, inside this process.

    Parameters
    ----------
    topics : Mapping[str, int]
        Number of partitions of each topic to create.
    """

    def __init__(self, topics: Mapping[str, int]) -> None:
        self._library = _load_librdkafka()
        self._client = self._new_client()
        self._cluster = ctypes.c_void_p(self._library.rd_kafka_mock_cluster_new(self._client, 1))
        if not self._cluster:
            raise EmbeddedBrokerError("librdkafka did not start a mock cluster")
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        for topic, n_partitions in topics.items():
            self._create_topic(topic, n_partitions)

    @property
    def address(self) -> str:
        """Address (``host:port``) that the broker listens on."""
        bootstraps: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return bootstraps.decode()

    def close(self) -> None:
        """Stop listening and free everything."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)

    def _new_client(self) -> ctypes.c_void_p:
        error = ctypes.create_string_buffer(ERROR_TEXT_BYTES)
        configuration = ctypes.c_void_p(self._library.rd_kafka_conf_new())
        self._library.rd_kafka_conf_set(
            configuration, b"log_level", LOG_LEVEL_ERROR, error, ctypes.c_size_t(ERROR_TEXT_BYTES)
        )
        client = self._library.rd_kafka_new(
            RD_KAFKA_PRODUCER, configuration, error, ctypes.c_size_t(ERROR_TEXT_BYTES)
        )
        if not client:
            raise EmbeddedBrokerError(f"librdkafka: {error.value.decode()}")
        return ctypes.c_void_p(client)

    def _create_topic(self, topic: str, n_partitions: int) -> None:
        code = self._library.rd_kafka_mock_topic_create(
            self._cluster, topic.encode(), ctypes.c_int(n_partitions), ctypes.c_int(1)
        )
        if code:
            reason: bytes = self._library.rd_kafka_err2str(ctypes.c_int(code))
            raise EmbeddedBrokerError(
                f"topic {topic} with {n_partitions} partitions: {reason.decode()}"
            )


def _load_librdkafka() -> Any:
    """Load the very library that confluent-kafka brought along, with the signatures used here."""
    library = ctypes.CDLL(str(_find_librdkafka()))
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = ctypes.c_void_p
    for name in ("rd_kafka_mock_cluster_bootstraps", "rd_kafka_err2str"):
        getattr(library, name).restype = ctypes.c_char_p
    for name in (
        "rd_kafka_mock_cluster_destroy",
        "rd_kafka_destroy",
        "rd_kafka_mock_group_initial_rebalance_delay_ms",
    ):
        getattr(library, name).restype = None
    return library


def _find_librdkafka() -> Path:
    files = importlib.metadata.files("confluent-kafka") or []
    for file in files:
        if file.name.startswith("librdkafka") and ".libs" in str(file.parent):
            return Path(str(file.locate()))
    raise EmbeddedBrokerError(
        "expected the librdkafka that comes inside confluent-kafka's wheel, found none; "
        "install confluent-kafka from its wheel, or use a real broker"
    )


def _parse_topic(text: str) -> tuple[str, int]:
    topic, separator, n_partitions = text.rpartition(":")
    if not separator or not n_partitions.isdigit() or int(n_partitions) < 1:
        raise argparse.ArgumentTypeError(f"expected NAME:PARTITIONS, came {text!r}")
    return topic, int(n_partitions)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=MockCluster.__doc__)
    parser.add_argument("--topic", action="append", default=[], type=_parse_topic)
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    cluster = MockCluster(dict(arguments.topic))
    print(cluster.address, flush=True)
    sys.stdin.read()
    cluster.close()


if __name__ == "__main__":
    main()
