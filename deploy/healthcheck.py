"""Exit 0 when the worker of this container answers on ``/stats``: the image's health check.

With ``serve`` as argument: when the HTTP service answers on ``/healthz``. The port is the
configuration's (``STREAM_REC_CONFIG`` and the environment), as the program itself reads it.
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
    settings = load_settings(Path(config) if config else None)
    name, port, page = "the worker", settings.worker.web_port, "stats"
    if sys.argv[1:] == ["serve"]:
        name, port, page = "the service", settings.serve.port, "healthz"
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=TIMEOUT_S) as answer:
            answer.read()
    except (urllib.error.URLError, TimeoutError) as problem:
        print(f"{name} does not answer on port {port}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
