"""Exit 0 when the worker of this container answers on ``/stats``: the image's health check.

With ``serve`` as argument: when the HTTP service answers on ``/healthz``, over TLS where it has a
certificate. That is not checked: it is for the name by which others know the service. Port and
certificate are the configuration's (``STREAM_REC_CONFIG`` and the environment), as the program
itself reads them.
"""

from __future__ import annotations

import os
import ssl
import sys
import urllib.request
from pathlib import Path

from stream_rec.config import load_settings

TIMEOUT_S = 3.0


def main() -> int:
    """Ask once; the reason of a failure goes where ``docker inspect`` shows it."""
    config = os.environ.get("STREAM_REC_CONFIG")
    settings = load_settings(Path(config) if config else None)
    name, scheme, port, page = "the worker", "http", settings.worker.web_port, "stats"
    if sys.argv[1:] == ["serve"]:
        scheme = "https" if settings.serve.ssl_certfile else "http"
        name, port, page = "the service", settings.serve.port, "healthz"
    address = f"{scheme}://127.0.0.1:{port}/{page}"
    unchecked = ssl._create_unverified_context() if scheme == "https" else None
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S, context=unchecked) as answer:
            answer.read()
    except OSError as problem:
        print(f"{name} does not answer on port {port}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
