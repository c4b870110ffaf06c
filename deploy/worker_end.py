"""How long the end of a worker may take: who stops one waits that long, and kills it then."""

import os
import sys
import threading
from collections.abc import Callable

import structlog

STOP_SECONDS = 5.0  # for running steps to go on, unless AGENTOS_STOP_SECONDS says otherwise
END_SECONDS = 10.0  # after that, for what still runs to be given back and told of

# A second before somebody kills it: then it can say so.
_FORCED_SECONDS = END_SECONDS - 1.0

log = structlog.get_logger(__name__)


def force_end(stop_seconds: float) -> None:
    """See to it that this process ends in time, whatever holds it up: a thread that waits for a
    disk, say, which nobody can cancel. Its scripts and its MCP servers end with it, and what it
    leaves on the disk is cleared by the next one."""
    _end_after(stop_seconds + _FORCED_SECONDS)


def beside(work: Callable[[], None]) -> None:
    """Do blocking work that the end of the process does not wait for: it breaks off anywhere."""
    threading.Thread(target=work, daemon=True).start()


def _end_after(seconds: float) -> None:
    timer = threading.Timer(seconds, _end)
    timer.daemon = True
    timer.start()


def _end() -> None:
    log.error("worker.end_forced", held_up_by=[thread.name for thread in threading.enumerate()])
    sys.stdout.flush()
    os._exit(1)
