"""Failures that nobody foresaw, such as a bug of ours or of a library, as errors of our tree.

Temporal would take one for a worker that was lost, and its text, which may hold anything, into
workflow history.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from activities.attempts.diagnosis import shown_line
from activities.disk import disk_full
from workflows.errors import AgentOSError, InternalError

_OURS = ("activities.", "workflows.", "worker.", "deploy.", "api.")
_FRAMES_LOGGED = 20

log = structlog.get_logger(__name__)


@contextmanager
def foreseen() -> Iterator[None]:
    """Raise whatever fails in the block as an ``AgentOSError``: what is none becomes ``DiskFull``
    or ``InternalError``, and the log tells where that was."""
    try:
        yield
    except AgentOSError:
        raise
    except Exception as failure:  # noqa: BLE001  # This is where nobody knows what it may be.
        raise _as_error(failure) from None


def _as_error(failure: Exception) -> AgentOSError:
    if isinstance(failure, OSError) and (full := disk_full(failure, "the worker")):
        return full
    first = _first_of(failure)
    kind = f"{type(first).__module__}.{type(first).__qualname__}".removeprefix("builtins.")
    frames = list(_frames(first)) or list(_frames(failure))
    ours = [place for place in frames if place.startswith(_OURS)]
    error = InternalError(kind=kind, place=(ours or frames or ["a place unknown"])[-1])
    error.said = shown_line(f"{kind}: {first}") or ""
    # Not what it says, which may quote anything: that is in the row of the attempt.
    log.error("attempt.broken", error=kind, frames=frames[-_FRAMES_LOGGED:])
    return error


def _first_of(failure: Exception) -> Exception:
    """Groups say nothing themselves."""
    while isinstance(failure, ExceptionGroup):
        failure = failure.exceptions[0]
    return failure


def _frames(failure: Exception) -> Iterator[str]:
    """Where it came from, the innermost last: no source, and no values."""
    for frame, line in traceback.walk_tb(failure.__traceback__):
        yield f"{frame.f_globals.get('__name__', '?')}, line {line}"
