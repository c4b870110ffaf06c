"""What the commands are given on the command line, and the connection they share."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, TypeVar

import typer

from api.cli.connection import Connection
from api.client import Client

Result = TypeVar("Result")


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="How to print what is found.")]
TaskId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A task's id, or the first six or more characters of it.",
        show_default=False,
    ),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="NAME=FILE",
        help="An input: a file, which is uploaded, or a reference "
        "(file:ID, artifact:ID, s3://BUCKET/KEY, https://...).",
        show_default=False,
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Show the progress, and exit as the task ends.")]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.001, metavar="SECONDS", help="How long to --wait at most.", show_default=False
    ),
]


def talk(context: typer.Context, conversation: Callable[[Client], Awaitable[Result]]) -> Result:
    """Have a conversation with the API that the command line names."""
    connection = context.find_object(Connection)
    assert connection is not None, "the callback of the application sets it"

    async def converse() -> Result:
        async with Client(connection.url, connection.api_key) as client:
            return await conversation(client)

    return asyncio.run(converse())
