"""The option ``--without`` of ``stream-rec evaluate``: names of features to rank without."""

from __future__ import annotations

from collections.abc import Sequence

import click

from stream_rec.evaluation.ablation import feature_columns

without_option = click.option(
    "--without",
    metavar="NAME,…",
    default="",
    help="Rank without some features, to see what they are worth; a wrong name lists them.",
)


def features_left_out(text: str, half_lives_s: Sequence[float]) -> tuple[str, ...]:
    """Return the names in what `--without` was given.

    Raises
    ------
    click.BadParameter
        One of them names no feature.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    try:
        feature_columns(names, half_lives_s)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--without") from None
    return names
