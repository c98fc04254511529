"""What the command line makes of errors: one clear message, an exit status, no traceback.

status   when
0        everything went well
1        the command failed, or what it checked is not right
2        the command line or the configuration is wrong
130      Ctrl-C
141      the reader of the output went away (``stream-rec tail | head``)
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import IO, Any

import click

from stream_rec.errors import ConfigError, StreamRecError

STATUS_FAILED = 1
STATUS_USAGE = 2
STATUS_INTERRUPTED = 130
STATUS_BROKEN_PIPE = 141


class CommandFailed(click.ClickException):
    """A `StreamRecError` on its way to standard error."""

    def __init__(self, error: StreamRecError) -> None:
        # Names of files and columns need not be UTF-8; what is written must be.
        super().__init__(str(error).encode(errors="surrogateescape").decode(errors="replace"))
        self.exit_code = STATUS_USAGE if isinstance(error, ConfigError) else STATUS_FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message to standard error, in red on a terminal."""
        label = click.style("Error:", fg="red", bold=True)
        click.echo(f"{label} {self.message}", file=file or sys.stderr)


class ErrorReportingGroup(click.Group):
    """A group of commands whose errors are told to people; other exceptions are bugs."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and turn what it raises into a message and an exit status."""
        try:
            return super().invoke(ctx)
        except StreamRecError as error:
            if ctx.obj.debug:
                traceback.print_exception(error)
            raise CommandFailed(error) from None
        except KeyboardInterrupt:
            ctx.exit(STATUS_INTERRUPTED)
        except BrokenPipeError:
            # Nothing more can be written, not even by Python's own flush at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(STATUS_BROKEN_PIPE)
