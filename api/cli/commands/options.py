"""Options that commands share, and their connection to the API."""

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


Output = Annotated[Format, typer.Option("--output", "-o", help="Output format.")]
TaskId = Annotated[
    str,
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
Timeout = Annotated[
    float | None,
    typer.Option(min=0.001, metavar="SECONDS", help="Maximum time to --wait.", show_default=False),
]


def talk(context: typer.Context, conversation: Callable[[Client], Awaitable[Result]]) -> Result:
    """Have a conversation with the API that the command line names."""
    connection = context.find_object(Connection)
    assert connection is not None, "the callback of the application sets it"

    async def converse() -> Result:
        async with Client(connection.url, connection.api_key) as client:
            return await conversation(client)

    return asyncio.run(converse())
