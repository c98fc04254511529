"""API keys: who may do what.

    entry    name:scopes:hash      scopes with + between them; hash = SHA-256 of the key, in hex
    key      sr_ and 43 random characters

A key has 256 random bits, so its plain hash cannot be guessed back and needs no salt.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from stream_rec.errors import ConfigError

SCOPES = ("read", "write", "admin")
PREFIX = "sr_"
HASH_CHARACTERS = 64


class Caller(NamedTuple):
    """Somebody with a key."""

    name: str
    scopes: frozenset[str]


class Keys:
    """The keys of a service, by hash.

    Parameters
    ----------
    entries : iterable of str
        ``name:scopes:hash``.

    Raises
    ------
    ConfigError
        An entry is none.

    Examples
    --------
    >>> entry, key = new_key("shop", ["read", "write"])
    >>> sorted(Keys([entry]).find(key).scopes)
    ['read', 'write']
    >>> Keys([entry]).find("sr_other") is None
    True
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._callers = dict(_parse(entry) for entry in entries)

    def __len__(self) -> int:
        return len(self._callers)

    def find(self, key: str) -> Caller | None:
        """Return whose key it is; looking a hash up tells nothing of the key by its duration."""
        return self._callers.get(_hash(key))


def new_key(name: str, scopes: Iterable[str]) -> tuple[str, str]:
    """Make a key; return the entry for the configuration, and the key for its owner."""
    key = PREFIX + secrets.token_urlsafe(32)
    return f"{name}:{'+'.join(scopes)}:{_hash(key)}", key


def read_keys_file(path: Path) -> list[str]:
    """Return the entries of a file: one a line, ``#`` begins a comment."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"serve.keys_file: {path} cannot be read: {error.strerror}") from error
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _parse(entry: str) -> tuple[str, Caller]:
    name, _, rest = entry.partition(":")
    scopes, _, digest = rest.partition(":")
    wanted = scopes.split("+")
    is_hash = len(digest) == HASH_CHARACTERS and all(c in "0123456789abcdef" for c in digest)
    if not name or not set(wanted) <= set(SCOPES) or not is_hash:
        raise ConfigError(
            f"serve.keys: expected name:scopes:hash with scopes of {', '.join(SCOPES)}, came an "
            f"entry that begins with {name[:20]!r}; make one with `stream-rec keys new`"
        )
    return digest, Caller(name, frozenset(wanted))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
