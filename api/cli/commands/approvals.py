"""``agentos approvals|approve|deny``: a person's decisions on calls that require approval.

Whoever approves a call must see all of it, so nothing is cut here.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format, Output, TaskId
from api.cli.commands.printing import print_json, print_line
from api.cli.commands.task_ids import LEAST_CHARACTERS, talk_about
from api.cli.display.agent_frames import commands_for
from api.cli.errors import CallNotNamed, NothingWaits
from api.cli.terminal import safe_json, safe_line, safe_text
from api.client import Client
from api.wire.requests import ApprovalRequest
from api.wire.responses.approvals import AskedCall
from api.wire.responses.pages import Page
from api.wire.responses.tasks import SubTask
from workflows.states import Status

Call = Annotated[
    str | None,
    typer.Argument(
        metavar="CALL",
        show_default="the only one waiting",
        help="The call: its number, such as 4.1, its name or its id.",
    ),
]
Note = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        show_default=False,
        help="A message to the agent; for a question, the answer.",
    ),
]

_DECIDED: Mapping[str, str] = {"approve": "approved", "deny": "denied"}


def approvals(context: typer.Context, task: TaskId, output: Output = Format.TABLE) -> None:
    """Show the calls waiting for your approval or answer, with all their arguments."""

    async def converse(client: Client, task_id: str) -> tuple[str, Page[AskedCall]]:
        return task_id, await client.approvals(task_id)

    task_id, page = talk_about(context, task, converse)
    if output is Format.JSON:
        print_json(page)
        return
    for call in page.items:
        for line in _lines(task_id, call):
            terminal.stdout().print(line, soft_wrap=True)


def approve(
    context: typer.Context,
    task: TaskId,
    call: Call = None,
    note: Note = None,
    output: Output = Format.TABLE,
) -> None:
    """Approve a call of an agent, or answer its question."""
    request = ApprovalRequest(decision="approve", note=note)
    _print(_decide(context, task, call, request), output)


def deny(
    context: typer.Context,
    task: TaskId,
    call: Call = None,
    note: Note = None,
    output: Output = Format.TABLE,
) -> None:
    """Deny a call of an agent, or decline to answer its question."""
    request = ApprovalRequest(decision="deny", note=note)
    _print(_decide(context, task, call, request), output)


def _decide(
    context: typer.Context, task: str, call: str | None, request: ApprovalRequest
) -> AskedCall:
    async def converse(client: Client, task_id: str) -> AskedCall:
        return await client.decide(task_id, await _find(client, task_id, call), request)

    return talk_about(context, task, converse)


def _lines(task_id: str, call: AskedCall) -> Iterator[Text]:
    """Indented where a model chose the words: they cannot pass for a line of ours."""
    until = f"until {call.expires_at:%Y-%m-%d %H:%M:%S %Z}"
    yield Text.assemble((safe_line(call.name), "bold"), (f"  {until}", "dim"))
    if call.question is not None:
        yield from (Text(f"  {line}") for line in safe_text(call.question).split("\n"))
    arguments = safe_json(json.dumps(call.arguments, indent=2, ensure_ascii=False))
    yield from (Text(f"  {line}") for line in arguments.split("\n"))
    yield from (
        Text(command, style="cyan")
        for command in commands_for(task_id, call.name, str(call.call_id), call.kind)
    )
    yield Text()


def _print(call: AskedCall, output: Format) -> None:
    if output is Format.JSON:
        print_json(call)
    else:
        said = call.decision or ""
        print_line(f"{call.name}  {_DECIDED.get(said, said)}")


async def _find(client: Client, task_id: str, call: str | None) -> str:
    """The id of the call that the command line names."""
    asked = [step for step in (await client.task(task_id)).sub_tasks if step.approval is not None]
    if call is not None:
        found = [step for step in asked if _is_meant(step, call)]
        return str(found[0].id) if len(found) == 1 else call  # The API says that there is none.
    waiting = [step for step in asked if step.status is Status.WAITING]
    if not waiting:
        raise NothingWaits(task_id=task_id)
    if len(waiting) > 1:
        shown = ", ".join(step.name for step in waiting)
        raise CallNotNamed(task_id=task_id, count=len(waiting), shown=shown)
    return str(waiting[0].id)


def _is_meant(step: SubTask, call: str) -> bool:
    if call in (str(step.id), step.name, step.name.partition(" ")[0]):
        return True
    return len(call) >= LEAST_CHARACTERS and str(step.id).startswith(call.lower())
