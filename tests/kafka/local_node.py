"""One Kafka process of a test cluster: format, start, stop, kill, freeze."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.kafka.broker_jars import fetch_jars, find_java
from tests.kafka.broker_settings import NodeAddress, format_properties

STOP_TIMEOUT_S = 20.0
JAVA_OPTIONS = (
    *("-server", "-Xmx1G", "-Xms1G", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"),
    *("-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent"),
    *("-XX:MaxInlineLevel=15", "-Djava.awt.headless=true"),
)
"""As in Kafka's own scripts (kafka-server-start.sh, kafka-run-class.sh). With a small heap that
grows, collections take 120 ms, and every latency that is measured has them in its tail."""
LOG_TAIL_CHARACTERS = 3000

_LOG4J_PROPERTIES = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


class BrokerFailedError(Exception):
    """A node ended or was not ready in time; the message carries the end of its log."""


class LocalNode:
    """One Kafka process, broker and controller.

    Parameters
    ----------
    address : NodeAddress
        Its id and ports; kept over restarts.
    folder : Path
        Its configuration, its log of messages (``server.log``) and its data.
    """

    def __init__(self, address: NodeAddress, folder: Path) -> None:
        self.address = address
        self.folder = folder
        self._java = [str(find_java()), *JAVA_OPTIONS, "-cp", f"{fetch_jars()}/*"]
        self._properties = folder / "server.properties"
        self._log4j = folder / "log4j2.properties"
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.is_expected = False
        """Whether the node was started and not stopped or killed on purpose."""

    @property
    def pid(self) -> int | None:
        """Process id while the node runs."""
        return self._process.pid if self.is_running and self._process is not None else None

    @property
    def is_running(self) -> bool:
        """Whether the process is there; a frozen one is."""
        return self._process is not None and self._process.poll() is None

    def format(self, cluster_id: str, settings: Mapping[str, str]) -> None:
        """Write the configuration and format an empty data folder for the cluster."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(format_properties(settings))
        self._log4j.write_text(_LOG4J_PROPERTIES)
        arguments = ["kafka.tools.StorageTool", "format", "--ignore-formatted"]
        arguments += [f"--cluster-id={cluster_id}", "--config", str(self._properties)]
        command = [self._java[0], "-XX:TieredStopAtLevel=1"]  # it runs for a second: compile little
        command += [*self._java[1:], *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BrokerFailedError(f"formatting {self.folder} failed:\n{done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start the process; returns at once (see `LocalCluster.wait_until_ready`)."""
        if self.is_running:
            raise RuntimeError(f"node {self.address.node_id} runs already")
        command = [self._java[0], f"-Dlog4j2.configurationFile={self._log4j}", *self._java[1:]]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "kafka.Kafka", str(self._properties)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the tests first, which stop it in order
            )
        self.is_expected = True

    def request_stop(self) -> None:
        """Ask for a shutdown in order (SIGTERM); returns at once."""
        self.is_expected = False
        self._send(signal.SIGTERM)
        self.thaw()

    def stop(self) -> None:
        """Shut down in order, by force when that takes over `STOP_TIMEOUT_S`."""
        self.request_stop()
        if self._process is None:
            return
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process at once (SIGKILL), as a crash would."""
        self.is_expected = False
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Stop the process from running (SIGSTOP) while its sockets stay open."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on (SIGCONT)."""
        self._send(signal.SIGCONT)

    def log_tail(self) -> str:
        """Return the end of what the node wrote."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return text[-LOG_TAIL_CHARACTERS:]

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(number)
