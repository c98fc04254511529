"""The record by which a user asks to be forgotten; the worker carries it out in its turn."""

from __future__ import annotations

import msgspec

from stream_rec.model.events import FORGET


def forget_request(user: str) -> tuple[bytes, bytes]:
    """Return key and value of the record by which a user asks to be forgotten.

    Examples
    --------
    >>> forget_request("ann")
    (b'ann', b'{"user":"ann","type":"forget"}')
    """
    return user.encode(), msgspec.json.encode({"user": user, "type": FORGET})
