"""Ids in the paths of routes, as in ``/users/{user:id}``: any characters, `/` and newlines too."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class IdConvertor(Convertor[str]):
    """Takes what starlette's `path` takes, and line ends, which its pattern leaves out."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        """Return the id in a path."""
        return value

    def to_string(self, value: str) -> str:
        """Return an id as part of a path."""
        return value


def register_id_paths() -> None:
    """Make `{name:id}` known to the routes made after this."""
    register_url_convertor("id", IdConvertor())
