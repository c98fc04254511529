"""The jars of an Apache Kafka broker, fetched once from Maven Central into the user's cache.

The cache folder is named after the content of ``pom.xml``: another Kafka version, another folder.
A fetch fills a scratch folder and renames it at the end: a folder that exists is complete.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
JAVA_VERSION_MIN = 17
FETCH_TIMEOUT_S = 600


class BrokerUnavailableError(Exception):
    """This machine lacks what a broker needs; the message says what, and what to install."""


def find_java() -> Path:
    """Return a Java runtime that Kafka 4 runs on, ``JAVA_HOME`` first.

    Raises
    ------
    BrokerUnavailableError
        No Java is found, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    command = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    command = command or shutil.which("java")
    if command is None:
        raise BrokerUnavailableError(f"no java found; install a Java runtime >= {JAVA_VERSION_MIN}")
    version = _java_version(command)
    if version < JAVA_VERSION_MIN:
        raise BrokerUnavailableError(
            f"{command} is Java {version}; Apache Kafka 4 needs Java >= {JAVA_VERSION_MIN}"
        )
    return Path(command)


def fetch_jars() -> Path:
    """Return the folder with the broker's jars; fetch them with Maven when it is not there yet.

    Raises
    ------
    BrokerUnavailableError
        Maven is missing or could not fetch.
    """
    version = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    folder = _cache_folder() / f"kafka-jars-{version}"
    if not folder.is_dir():
        _fetch_into(folder)
    return folder


def _java_version(command: str) -> int:
    shown = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(?:1\.)?(\d+)', shown.stderr + shown.stdout)
    if found is None:
        raise BrokerUnavailableError(
            f"{command} -version names no version: {shown.stderr.strip()!r}"
        )
    return int(found[1])


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "stream_rec"


def _fetch_into(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerUnavailableError("no mvn found; install Maven to fetch the broker's jars")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch:
        jars = Path(scratch) / "jars"
        _run_maven(maven, jars)
        try:
            jars.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process was faster, with the same jars
                raise


def _run_maven(maven: str, jars: Path) -> None:
    command = [maven, "--batch-mode", "--quiet", "--file", str(POM)]
    command += [
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={jars}",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise BrokerUnavailableError(
            f"mvn did not fetch the jars within {FETCH_TIMEOUT_S} s"
        ) from None
    if done.returncode != 0 or not jars.is_dir():
        raise BrokerUnavailableError(
            f"mvn could not fetch the broker's jars:\n{done.stdout[-2000:]}"
        )
