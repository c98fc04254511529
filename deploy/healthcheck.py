"""Exit 0 when the worker of this container answers on ``/stats``: the image's health check.

The port is the configuration's (``STREAM_REC_CONFIG`` and the environment), as the worker reads it.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from stream_rec.config import load_settings

TIMEOUT_S = 3.0


def main() -> int:
    """Ask once; the reason of a failure goes where ``docker inspect`` shows it."""
    config = os.environ.get("STREAM_REC_CONFIG")
    port = load_settings(Path(config) if config else None).worker.web_port
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=TIMEOUT_S) as answer:
            answer.read()
    except (urllib.error.URLError, TimeoutError) as problem:
        print(f"the worker does not answer on port {port}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
