"""``agentos messages``: what was said in an agent's task."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format, NoPager, Output, TaskId
from api.cli.commands.pages import page_after_page, whole_list
from api.cli.commands.printing import print_json
from api.cli.commands.task_ids import talk_about
from api.cli.display.amounts import counted, duration
from api.cli.pager import paged
from api.cli.terminal import safe_line, safe_text
from api.client import AsyncClient as Client
from api.client.transport import Params
from api.wire.responses.history import Message, ToldMessage
from api.wire.responses.pages import Page
from api.wire.responses.tasks import Task
from workflows.states import TaskType

_STYLES = {"system": "magenta", "user": "green", "assistant": "cyan", "tool": "yellow"}
_INDENT = "  "
_LEAST_COLUMNS = 20


def messages(
    context: typer.Context,
    task: TaskId,
    system: Annotated[
        bool, typer.Option("--system", "--all", help="Print the system prompt whole, too.")
    ] = False,
    no_pager: NoPager = False,
    output: Output = Format.TABLE,
) -> None:
    """Print an agent's conversation with its model and tools."""

    async def converse(client: Client, task_id: str) -> None:
        async def fetch(params: Params) -> Page[Message]:
            return await client.messages(task_id, params)

        if output is Format.JSON:
            print_json(await whole_list(fetch))
            return
        count = 0
        async for page in page_after_page(fetch, {}):
            count += len(page.items)
            for message in page.items:
                for line in message_lines(message, is_folded=not system):
                    terminal.stdout().print(line, soft_wrap=True)
        unread = (await client.unread(task_id)).items
        for told in unread:
            for line in _unread_lines(told):
                terminal.stdout().print(line, soft_wrap=True)
        if not count and not unread:
            why = _why_none(await client.task(task_id))
            terminal.stderr().print(why, style="dim", soft_wrap=True)

    with paged(wanted=not no_pager and output is Format.TABLE):
        talk_about(context, task, converse)


def _why_none(task: Task) -> str:
    if task.type is TaskType.PIPELINE:
        return (
            "A pipeline asks no model, so nothing was said. What its steps printed: "
            f"agentos logs {task.task_id}"
        )
    return "Nothing was said yet."


def message_lines(message: Message, *, is_folded: bool = True) -> Iterator[Text]:
    """A message as people read it; of the system prompt its first line, if that ``is_folded``."""
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
    if is_folded and message.role == "system":
        yield from _folded(message.content)
    elif message.content:
        yield from wrapped(safe_text(message.content))
    for request in message.requests:
        yield Text.assemble(
            (f"{_INDENT}→ ", "dim"),
            (safe_line(request.name), "bold"),
            f" {safe_line(request.arguments)}",
        )
    yield Text()


def _folded(prompt: str) -> Iterator[Text]:
    first, *rest = safe_text(prompt).strip().split("\n")
    yield from wrapped(first)
    if rest:
        yield Text(f"{_INDENT}... {counted(len(rest), 'more line')}: --system", style="dim")


def wrapped(text: str) -> Iterator[Text]:
    """Lines of others, broken between words where a terminal would break them anywhere.

    They are indented: what is said cannot pass for a line of ours.
    """
    console = terminal.stdout()
    width = max(console.width - len(_INDENT), _LEAST_COLUMNS)
    for line in text.split("\n"):
        if len(line) * 2 <= width or not console.is_terminal:
            yield Text(f"{_INDENT}{line}")
            continue
        for part in Text(line).wrap(console, width, overflow="fold"):
            part.rstrip()
            yield Text.assemble(_INDENT, part)


def _unread_lines(told: ToldMessage) -> Iterator[Text]:
    about = f"told by {told.from_name} · not read yet"
    yield Text.assemble(("user", f"bold {_STYLES['user']}"), (f"  {safe_line(about)}", "dim"))
    yield from wrapped(safe_text(told.content))
    yield Text()
