"""What becomes of a command when there is no room for its output."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from api.cli.broken_pipes import print_nothing_more


def watch_stdout() -> None:
    """Tell what stdout cannot write from all else that goes wrong in a command."""
    text = sys.stdout
    if not isinstance(text, io.TextIOWrapper):
        return
    kept = {name: getattr(text, name) for name in ("encoding", "errors", "line_buffering")}
    buffer = text.detach()
    # Where Python is not to buffer (PYTHONUNBUFFERED), there is none.
    is_buffered = isinstance(buffer, io.BufferedWriter)
    raw = buffer.detach() if is_buffered else buffer
    output = _Output(raw, io.DEFAULT_BUFFER_SIZE if is_buffered else 1)
    sys.stdout = io.TextIOWrapper(output, write_through=not is_buffered, **kept)


class _Output(io.BufferedWriter):
    """Raises ``OutputUnwritable`` once, whoever writes or flushes."""

    def write(self, data: Any) -> int:
        with _told():
            return super().write(data)

    def flush(self) -> None:
        with _told():
            super().flush()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # Whoever reads has seen enough.
        raise
    except OSError as error:
        from api.cli.errors import OutputUnwritable

        print_nothing_more(sys.stdout)
        raise OutputUnwritable(reason=error.strerror) from error
