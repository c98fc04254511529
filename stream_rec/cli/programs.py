"""Run a program of producers/ as a command: same options, same configuration, same exit status."""

from __future__ import annotations

from collections.abc import Sequence

import click

from stream_rec.cli.options import CommonOptions

PASS_THROUGH = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}
"""Context settings of a command that leaves every argument, --help too, to its program."""


def run_program(program: click.Command, options: CommonOptions, arguments: Sequence[str]) -> int:
    """Run a program with the configuration that stands before the command's name.

    Parameters
    ----------
    program : click.Command
        A command of producers/; what is told about it names it as a command of ours.
    options : CommonOptions
        Passed on as the program's own --config, --set and --debug.
    arguments : sequence of str
        What stands behind the command's name.

    Returns
    -------
    int
        Exit status.
    """
    from producers.command_line import run

    name = f"stream-rec {click.get_current_context().info_name}"
    return run(program, [*options.as_arguments(), *arguments], name)
