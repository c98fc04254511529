"""What workers say of themselves at ``/stats``."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

TIMEOUT_S = 2.0


class WorkerStatus(NamedTuple):
    """A worker's answer.

    Attributes
    ----------
    address : str
        Host and port of its web server.
    stats : Mapping or None
        None if it did not answer.
    problem : str
        Why it did not.
    """

    address: str
    stats: Mapping[str, Any] | None
    problem: str = ""


def look_at_workers(addresses: Iterable[str]) -> list[WorkerStatus]:
    """Ask each worker."""
    return [_look(address) for address in addresses]


def _look(address: str) -> WorkerStatus:
    try:
        with urllib.request.urlopen(f"http://{address}/stats", timeout=TIMEOUT_S) as answer:
            return WorkerStatus(address, json.load(answer))
    except urllib.error.HTTPError as error:
        return WorkerStatus(address, None, f"status {error.code}: no worker's web server")
    except (OSError, ValueError) as error:
        return WorkerStatus(address, None, str(getattr(error, "reason", error)))
