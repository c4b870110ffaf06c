"""``agentos approve|deny``: a person's word on a call that an agent may not make without it."""

from typing import Annotated

import typer

from api.client import Client
from api.commands.errors import CallNotNamed, NothingWaits
from api.commands.options import Format, Output, TaskId
from api.commands.printing import print_json, print_line
from api.commands.task_ids import LEAST_CHARACTERS, talk_about
from api.schemas import ApprovalRequest, AskedCall, SubTask
from workflows.contracts import Status

Call = Annotated[
    str | None,
    typer.Argument(
        metavar="CALL",
        show_default="the one that waits",
        help="The call: its number such as 4.1, its name or its id.",
    ),
]
Note = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        show_default=False,
        help="What the agent is told; to a question it is the answer.",
    ),
]


def approve(
    context: typer.Context,
    task: TaskId,
    call: Call = None,
    note: Note = None,
    output: Output = Format.TABLE,
) -> None:
    """Let an agent make a call, or answer its question."""
    request = ApprovalRequest(decision="approve", note=note)
    _print(_decide(context, task, call, request), output)


def deny(
    context: typer.Context,
    task: TaskId,
    call: Call = None,
    note: Note = None,
    output: Output = Format.TABLE,
) -> None:
    """Refuse an agent a call, or an answer."""
    request = ApprovalRequest(decision="deny", note=note)
    _print(_decide(context, task, call, request), output)


def _decide(
    context: typer.Context, task: str, call: str | None, request: ApprovalRequest
) -> AskedCall:
    async def converse(client: Client, task_id: str) -> AskedCall:
        return await client.decide(task_id, await _find(client, task_id, call), request)

    return talk_about(context, task, converse)


def _print(call: AskedCall, output: Format) -> None:
    if output is Format.JSON:
        print_json(call)
    else:
        print_line(f"{call.name}  {'approved' if call.decision == 'approve' else 'denied'}")


async def _find(client: Client, task_id: str, call: str | None) -> str:
    """The id of the call that is meant."""
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
