"""Times on the command line: a moment, or how long ago it was."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

_AGO = re.compile(r"(\d{1,6})\s*([smhdw])")
_TO_SECONDS = len("2026-11-29T12:00:00")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str) -> datetime:
    """``2026-11-29T12:00``, of UTC where no zone is given, or so long ago: ``90m``, ``2d``.

    Raises:
        typer.BadParameter
    """
    try:
        if (ago := _AGO.fullmatch(text.strip())) is not None:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        message = (
            f"{text[:40]!r} is no time: write a day, 2026-11-29, or a moment, 2026-11-29T12:00, "
            "which are of UTC unless a zone such as +02:00 follows, or how long ago: 90m, 2d"
        )
        raise typer.BadParameter(message) from error


def check_order(after: str | None, before: str | None) -> None:
    """Both as ``in_a_query`` gives them. Raises ``typer.BadParameter``."""
    if after and before and datetime.fromisoformat(after) >= datetime.fromisoformat(before):
        message = (
            f"nothing is after {after[:_TO_SECONDS]} and before {before[:_TO_SECONDS]} (UTC); are "
            "the two swapped?"
        )
        raise typer.BadParameter(message, param_hint="--since")


def in_a_query(text: str) -> str:
    return parse_moment(text).isoformat()


After = Annotated[
    str | None,
    typer.Option(
        "--since",
        "--after",
        parser=in_a_query,
        metavar="TIME",
        show_default=False,
        help="Only newer ones: 2026-11-29T12:00 (UTC), or how long ago: 90m, 2d.",
    ),
]
Before = Annotated[
    str | None,
    typer.Option(
        "--until",
        "--before",
        parser=in_a_query,
        metavar="TIME",
        show_default=False,
        help="Only older ones.",
    ),
]
