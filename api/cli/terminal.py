"""The two consoles, and what makes text of others safe to show on them."""

import sys
from functools import cache

from rich.console import Console

from api.cli.broken_pipes import print_nothing_more
from api.wire.unseen import safe_json, safe_line, safe_text

__all__ = ["safe_json", "safe_line", "safe_text", "stderr", "stdout"]

# Columns of a table that goes to a file or a pipe: wide enough that nothing is cut or wrapped.
_UNBOUNDED_COLUMNS = 100_000


class _Console(Console):
    """Of stdout it is left to the group of all commands what happens once nobody reads any more;
    stderr is quiet from then on."""

    def on_broken_pipe(self) -> None:
        if not self.stderr:
            raise BrokenPipeError
        self.quiet = True
        print_nothing_more(sys.stderr)


@cache
def stdout() -> Console:
    """For data. Where it is no terminal, lines are as long as they need to be."""
    return _console(stderr=False)


@cache
def stderr() -> Console:
    """For progress, hints and errors."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    # Markup, emoji codes and highlighting are off: the text is not ours to interpret.
    console = _Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if console.no_color:
        # rich drops colours only; bold and dim are escape sequences too.
        console = _Console(
            stderr=stderr, markup=False, emoji=False, highlight=False, color_system=None
        )
    if not console.is_terminal:
        console.width = _UNBOUNDED_COLUMNS
    return console
