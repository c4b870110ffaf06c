"""``agentos messages``: what was said in an agent's task."""

from collections.abc import Iterator

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format, Output, TaskId
from api.cli.commands.pages import page_after_page, whole_list
from api.cli.commands.printing import print_json
from api.cli.commands.task_ids import talk_about
from api.cli.display.frames import duration
from api.cli.terminal import safe_line, safe_text
from api.client import AsyncClient as Client
from api.client.transport import Params
from api.wire.responses.history import Message, ToldMessage
from api.wire.responses.pages import Page

_STYLES = {"system": "magenta", "user": "green", "assistant": "cyan", "tool": "yellow"}


def messages(context: typer.Context, task: TaskId, output: Output = Format.TABLE) -> None:
    """Print an agent's conversation with its model and tools."""

    async def converse(client: Client, task_id: str) -> None:
        async def fetch(params: Params) -> Page[Message]:
            return await client.messages(task_id, params)

        if output is Format.JSON:
            print_json(await whole_list(fetch))
            return
        async for page in page_after_page(fetch, {}):
            for message in page.items:
                for line in _lines(message):
                    terminal.stdout().print(line, soft_wrap=True)
        for told in (await client.unread(task_id)).items:
            for line in _unread_lines(told):
                terminal.stdout().print(line, soft_wrap=True)

    talk_about(context, task, converse)


def _lines(message: Message) -> Iterator[Text]:
    about = [f"turn {message.turn}"] if message.turn else []
    if message.from_name is not None:
        about.append(f"told by {message.from_name}")
    if message.model:
        about.append(message.model)
    if usage := message.usage:
        about.append(f"{usage.prompt_tokens + usage.completion_tokens:,} tokens")
        about.append(duration((usage.duration_ms or 0) / 1_000))
    yield Text.assemble(
        (f"{message.seq} {safe_line(message.role)}", f"bold {_STYLES.get(message.role, '')}"),
        (f"  {safe_line(' · '.join(about))}", "dim"),
    )
    # Indented: what is said cannot pass for a line of ours.
    for text in safe_text(message.content).split("\n") if message.content else ():
        yield Text(f"  {text}")
    for request in message.requests:
        yield Text.assemble(
            ("  → ", "dim"),
            (safe_line(request.name), "bold"),
            f" {safe_line(request.arguments)}",
        )
    yield Text()


def _unread_lines(told: ToldMessage) -> Iterator[Text]:
    about = f"told by {told.from_name} · not read yet"
    yield Text.assemble(("user", f"bold {_STYLES['user']}"), (f"  {safe_line(about)}", "dim"))
    for text in safe_text(told.content).split("\n"):
        yield Text(f"  {text}")
    yield Text()
