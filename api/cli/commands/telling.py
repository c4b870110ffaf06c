"""``agentos tell``: a word to an agent that is at work on a task."""

from typing import Annotated

import typer

from api.cli import terminal
from api.cli.commands.message_text import message_text
from api.cli.commands.options import Format, Output, TaskId, key_option
from api.cli.commands.printing import print_json
from api.cli.commands.task_ids import talk_about
from api.client import AsyncClient as Client
from api.wire.responses.history import ToldMessage

Key = Annotated[
    str | None, key_option("Telling it again with the same key returns the same message.")
]


def tell(
    context: typer.Context,
    task: TaskId,
    text: Annotated[
        str, typer.Argument(metavar="TEXT", show_default=False, help="What to say; - for stdin.")
    ],
    *,
    idempotency_key: Key = None,
    output: Output = Format.TABLE,
) -> None:
    """Tell an agent something while it is at work. It reads it before its next turn."""
    said = message_text(text)

    async def converse(client: Client, task_id: str) -> ToldMessage:
        return await client.tell(task_id, said, idempotency_key=idempotency_key)

    told = talk_about(context, task, converse)
    if output is Format.JSON:
        print_json(told)
        return
    follows = "It was read." if told.seq else "The agent reads it before its next turn."
    terminal.stderr().print(follows, style="dim", soft_wrap=True)
