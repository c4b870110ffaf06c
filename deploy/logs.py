"""Structured logs: one JSON object a line on stderr, with the task's id where there is one."""

import json
import logging
import sys
from contextlib import suppress
from io import TextIOBase
from typing import TextIO, cast

import structlog

# Chatty below a warning, and what they say is said by us with a task id.
_QUIET = (
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "urllib3",
    "alembic",
    "asyncio",
    "uvicorn.access",
)
_as_json = structlog.processors.JSONRenderer()


def configure(level: str = "INFO") -> None:
    """Send our own logs and those of the libraries through one pipe.

    Ours go there as they are: the way through ``logging`` costs twice as much, once a step.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        _render,
    ]
    structlog.configure(
        processors=[*shared, *rendered],
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", Unfailing(sys.stderr))),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *rendered,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _render(
    logger: structlog.typing.WrappedLogger, method: str, event: structlog.typing.EventDict
) -> str:
    """A line that cannot be written must not end who logs it."""
    try:
        return str(_as_json(logger, method, event))
    except Exception as error:  # noqa: BLE001  # What is logged may fail in any way.
        what = {"event": str(event.get("event")), "not_logged": type(error).__name__}
        return json.dumps(what | {"level": method})


class Unfailing(TextIOBase):
    """Drops what its file does not take: it may be on a full disk, closed, or read by nobody any
    more."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._file.flush()


def show(file: TextIO) -> None:
    """Print our own logs for people, who may have sent them to the very disk that is full: what
    keeps the stack running must not end for want of a line."""
    unfailing = cast("TextIO", Unfailing(file))
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(unfailing))
