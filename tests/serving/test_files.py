"""The files of the live page and of /docs: compressed, and sent again only once they changed."""

from __future__ import annotations

import pytest

from tests.serving.conftest import Served


@pytest.mark.parametrize("path", ["/", "/docs", "/page/app.js", "/page/swagger-ui-bundle.js"])
async def test_files_come_compressed_and_only_when_they_have_changed(
    served: Served, path: str
) -> None:
    plain = await served.client.get(path, headers={"accept-encoding": "identity"})
    packed = await served.client.get(path, headers={"accept-encoding": "gzip, br"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content  # the client unpacks it
    assert int(packed.headers["content-length"]) < 0.7 * len(plain.content)
    known = {"if-none-match": plain.headers["etag"]}
    again = await served.client.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == plain.headers["content-security-policy"]
