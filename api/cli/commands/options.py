"""Options that commands share, and their connection to the API."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, overload

import typer

from api.cli.broken_pipes import BrokenOff
from api.cli.connection import Connection
from api.cli.stack_errors import StackApiAway
from api.client import ApiUnreachable
from api.client.asking import keyed
from api.client.connected import Connected

if TYPE_CHECKING:
    from api.client import AsyncClient as Client

Result = TypeVar("Result")
Caller = TypeVar("Caller", bound=Connected)


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="Output format.")]


def _format_or_place(text: str) -> Format | Path:
    """What ``-o`` says where a command writes files, too: ``./json`` is a file of that name."""
    return Format(text) if text in tuple(Format) else Path(text)


def place_option(what: str, *names: str, metavar: str, default: str) -> Any:
    """``-o`` of a command that writes files: where to, and as everywhere else ``json``."""
    return typer.Option(
        "-o",
        *names,
        parser=_format_or_place,
        metavar=f"{metavar}|json",
        show_default=default or False,
        help=f"{what} With json, the answer as JSON.",
    )


def told_apart(place: Format | Path | None, output: Format) -> tuple[Path | None, Format]:
    """Where to write, and in which format to print."""
    return (None, place) if isinstance(place, Format) else (place, output)


def _sendable(key: str | None) -> str | None:
    """Told before anything is uploaded. Raises as ``keyed``."""
    if key is not None:
        keyed(key)
    return key


def key_option(promise: str) -> Any:
    return typer.Option(
        "--idempotency-key", metavar="KEY", show_default=False, callback=_sendable, help=promise
    )


LongOutput = Annotated[Format, typer.Option("--output", help="Output format.")]
TaskId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A task's id, or its first six or more characters; ID/NODE is a node of a plan, "
        "by its name, its number, or the id of its task.",
        show_default=False,
    ),
]
SomeTaskId = Annotated[
    str | None,
    typer.Argument(
        metavar="ID",
        help="A task's id, or its first six or more characters; ID/NODE is a node of a plan.",
        show_default=False,
    ),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="NAME=FILE",
        help="An input: a file to upload, or a reference "
        "(file:ID, artifact:ID, s3://BUCKET/KEY, https://...).",
        show_default=False,
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Show progress and exit when the task ends.")]
NoCache = Annotated[
    bool,
    typer.Option("--no-cache", help="Run each step, whatever equal ones gave, and keep no result."),
]
Timeout = Annotated[
    float | None,
    typer.Option(min=0.001, metavar="SECONDS", help="Maximum time to --wait.", show_default=False),
]


NoPager = Annotated[
    bool,
    typer.Option("--no-pager", help="Print all at once, also what is longer than the screen."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, even on a terminal.")]


@overload
def talk(
    context: typer.Context, conversation: Callable[["Client"], Awaitable[Result]]
) -> Result: ...
@overload
def talk(
    context: typer.Context,
    conversation: Callable[[Caller], Awaitable[Result]],
    through: type[Caller],
) -> Result: ...
def talk(
    context: typer.Context,
    conversation: Callable[[Any], Awaitable[Result]],
    through: type[Connected] | None = None,
) -> Result:
    """Have a conversation with the API that the command line names, or that of the stack here.

    ``through`` is a client with a few of the calls, for commands that are to be quick: one with all
    of them takes 0.2 s longer to load.

    Raises:
        StackNotReady, StackApiAway: the stack runs, and its API is not there.
        NoStackHere: there is a stack here, and it does not run.
        BrokenOff: nobody reads stdout any more, and the API has changed something.
    """
    connection = context.find_object(Connection)
    assert connection is not None, "the callback of the application sets it"
    kind = _with_all_calls() if through is None else through

    async def converse() -> Result:
        # Who sits at a terminal wants to know soon that nothing answers.
        async with kind(connection.url, connection.api_key, patience_seconds=0) as client:
            try:
                return await conversation(client)
            except BrokenPipeError as error:
                if client.has_changed_something:
                    raise BrokenOff from error
                raise

    try:
        return asyncio.run(converse())
    except ApiUnreachable as error:
        if connection.stack is None:
            raise
        raise StackApiAway(data_dir=connection.stack.data_dir, **error.fields) from error


def _with_all_calls() -> type["Client"]:
    from api.client import AsyncClient

    return AsyncClient
