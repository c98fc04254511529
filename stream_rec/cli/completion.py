"""``stream-rec completion``: the shell's completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from stream_rec.cli.examples import examples

SHELLS = ("bash", "zsh", "fish")


@click.command(
    epilog=examples(
        'eval "$(stream-rec completion bash)"                    in ~/.bashrc',
        'eval "$(stream-rec completion zsh)"                     in ~/.zshrc',
        "stream-rec completion fish > ~/.config/fish/completions/stream-rec.fish",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of a shell."""
    from stream_rec.cli.main import cli

    completion_class = get_completion_class(shell)
    assert completion_class is not None, "click knows all of SHELLS"
    script = completion_class(cli, {}, "stream-rec", "_STREAM_REC_COMPLETE")
    click.echo(script.source())
