"""What the options of ``stream-rec evaluate`` take, and how a wrong value is refused."""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from stream_rec.cli.evaluation.loading import DROPPABLE
from stream_rec.evaluation.baselines import Baseline, choose_baselines
from stream_rec.evaluation.peers import PEERS

K_MAX = 100


class ListOfK(click.ParamType):
    """Several list lengths with commas between them."""

    name = "k,k,…"

    def convert(
        self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the lengths in ascending order, each once."""
        if isinstance(value, tuple):
            return value
        try:
            ks = tuple(sorted({int(part) for part in value.split(",")}))
        except ValueError:
            ks = ()
        if not ks or not 1 <= ks[0] <= ks[-1] <= K_MAX:
            self.fail(f"expected numbers from 1 to {K_MAX}, came {value!r}", parameter, ctx)
        return ks


class BaselineNames(click.ParamType):
    """Names of peers with commas between them, or all that can run here."""

    name = "all|name,name,…"

    def convert(
        self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None
    ) -> list[Baseline]:
        """Return the baselines to run."""
        if isinstance(value, list):
            return value
        names = [name.strip() for name in value.split(",") if name.strip()]
        try:
            chosen = choose_baselines(names)
        except KeyError as unknown:
            known = ", ".join(PEERS)
            self.fail(f"expected all, or some of {known}; came {unknown}", parameter, ctx)
        absent = {each.peer for each in chosen if not _is_installed(each.peer)}
        for peer in sorted(absent & set(names)):
            package = PEERS[peer].needs_package
            self.fail(f"{peer} needs pip install 'stream-rec[{package}]'", parameter, ctx)
        return [each for each in chosen if each.peer not in absent]


class Droppable(click.ParamType):
    """Kinds of events to leave out, with commas between them."""

    name = "kind,kind"

    def convert(
        self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the kinds."""
        if isinstance(value, tuple):
            return value
        kinds = tuple(part.strip() for part in value.split(",") if part.strip())
        if not set(kinds) <= set(DROPPABLE):
            self.fail(f"expected some of {', '.join(DROPPABLE)}, came {value!r}", parameter, ctx)
        return kinds


def require_folder(ctx: click.Context, parameter: click.Parameter, path: str | None) -> str | None:
    """Refuse a file in a folder that is not there, before the long run and not after it."""
    if path is not None and not Path(path).parent.is_dir():
        raise click.BadParameter(f"expected an existing folder, came {path!r}", ctx, parameter)
    return path


def require_file(ctx: click.Context, parameter: click.Parameter, path: str | None) -> str | None:
    """Refuse standard output, and a file in a folder that is not there."""
    if path == "-":
        raise click.BadParameter("expected the name of a file, came '-'", ctx, parameter)
    return require_folder(ctx, parameter, path)


def require_finite(ctx: click.Context, parameter: click.Parameter, number: float) -> float:
    """Refuse what is no number, or no end."""
    if not math.isfinite(number):
        raise click.BadParameter(f"expected a finite number, came {number}", ctx, parameter)
    return number


def _is_installed(peer: str) -> bool:
    package = PEERS[peer].needs_package
    return not package or find_spec(package) is not None
