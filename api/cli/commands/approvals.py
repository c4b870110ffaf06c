"""``agentos approvals|approve|deny``: a person's decisions on calls that require approval.

Whoever approves a call must see all of it, so nothing is cut here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self
from uuid import UUID

import typer
from pydantic import JsonValue
from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format, NoPager, Output, TaskId, talk
from api.cli.commands.pages import whole_list
from api.cli.commands.plan_file import read_nodes
from api.cli.commands.plan_view import PLAN_CALL
from api.cli.commands.printing import print_json, print_line
from api.cli.commands.request_body import built
from api.cli.commands.task_ids import LEAST_CHARACTERS, talk_about
from api.cli.display.agent_frames import commands_for
from api.cli.display.glyphs import glyphs_of
from api.cli.display.plan_frames import command_lines, nodes_in
from api.cli.display.plan_tree import TreeNode, tree_lines
from api.cli.errors import CallNotNamed, DecisionInvalid, NothingWaits
from api.cli.pager import paged
from api.cli.terminal import safe_json, safe_line, safe_text
from api.client import ApiProblem
from api.client import AsyncClient as Client
from api.client.transport import Params
from api.wire.requests import ApprovalRequest
from api.wire.responses.approvals import AskedCall
from api.wire.responses.pages import Page

Call = Annotated[
    str | None,
    typer.Argument(
        metavar="CALL",
        show_default="the only one waiting",
        help="What was asked, by the id that `agentos approvals` shows; or the call: its number, "
        "such as 4.1, its name or its id.",
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


def approvals(
    context: typer.Context,
    task: Annotated[
        str | None,
        typer.Argument(metavar="ID", show_default="all tasks", help="Only of this task."),
    ] = None,
    no_pager: NoPager = False,
    output: Output = Format.TABLE,
) -> None:
    """Show the calls waiting for your approval or answer, with all their arguments."""
    with paged(wanted=not no_pager and output is Format.TABLE):
        _of_all(context, output) if task is None else _of_one(context, task, output)


def _of_all(context: typer.Context, output: Format) -> None:
    page = talk(context, lambda client: whole_list(client.overview.waiting))
    if output is Format.JSON:
        print_json(page)
        return
    if not page.items:
        _say_that_nothing_waits()
    for call in page.items:
        whose = call.agent_name or call.task_name
        kind = "agent" if call.agent_name else call.task_type.value
        about = Text.assemble((safe_line(whose), "bold"), (f"  {kind} {call.task_id}", "dim"))
        terminal.stdout().print(about, soft_wrap=True)
        for line in _lines(str(call.task_id), call):
            terminal.stdout().print(line, soft_wrap=True)


def _of_one(context: typer.Context, task: str, output: Format) -> None:
    async def converse(client: Client, task_id: str) -> tuple[str, Page[AskedCall]]:
        return task_id, await _waiting(client, task_id)

    task_id, page = talk_about(context, task, converse)
    if output is Format.JSON:
        print_json(page)
        return
    if not page.items:
        _say_that_nothing_waits()
    for call in page.items:
        for line in _lines(task_id, call):
            terminal.stdout().print(line, soft_wrap=True)


def _say_that_nothing_waits() -> None:
    terminal.stderr().print("Nothing waits for you.", style="dim")


def approve(
    context: typer.Context,
    *,
    task: TaskId,
    call: Call = None,
    note: Note = None,
    arguments: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            show_default=False,
            help="All arguments to make the call with instead, as a JSON object, or @FILE; the "
            "model is told of it.",
        ),
    ] = None,
    nodes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Nodes that take the place of those of a plan; `agentos plan ID -o FILE` writes "
            "them to a file to edit.",
        ),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Approve a call of an agent, or answer its question."""
    edited = None if nodes is None else read_nodes(nodes)
    changed = None if arguments is None else _arguments(arguments)
    given = {"decision": "approve", "note": note, "nodes": edited, "arguments": changed}
    request = built(ApprovalRequest, given, DecisionInvalid)
    _print(_decide(context, task, call, request), output)


def deny(
    context: typer.Context,
    task: TaskId,
    call: Call = None,
    note: Note = None,
    output: Output = Format.TABLE,
) -> None:
    """Deny a call of an agent, or decline to answer its question."""
    request = built(ApprovalRequest, {"decision": "deny", "note": note}, DecisionInvalid)
    _print(_decide(context, task, call, request), output)


def _arguments(text: str) -> JsonValue:
    """Raises ``typer.BadParameter``."""
    try:
        given = Path(text[1:]).read_text() if text.startswith("@") else text
        found: JsonValue = json.loads(given)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"it is no JSON: {reason}"
        raise typer.BadParameter(message, param_hint="--arguments") from error
    if not isinstance(found, dict):
        message = 'write a JSON object with all arguments, such as \'{"path": "a.csv"}\''
        raise typer.BadParameter(message, param_hint="--arguments")
    return found


def _decide(
    context: typer.Context, task: str, call: str | None, request: ApprovalRequest
) -> AskedCall:
    async def converse(client: Client, task_id: str) -> AskedCall:
        meant, ask_id = await _find(client, task_id, call)
        decision = request.model_copy(update={"ask_id": ask_id})
        try:
            return await client.decide(task_id, meant, decision)
        except ApiProblem as error:
            if not error.problems:
                raise
            raise DecisionInvalid(error.problems) from error

    return talk_about(context, task, converse)


def _lines(task_id: str, call: AskedCall) -> Iterator[Text]:
    """Indented where a model chose the words: they cannot pass for a line of ours."""
    until = f"until {call.expires_at:%Y-%m-%d %H:%M:%S %Z}"
    yield Text.assemble((safe_line(call.name), "bold"), (f"  {until}", "dim"))
    if call.question is not None:
        yield from (Text(f"  {line}") for line in safe_text(call.question).split("\n"))
    nodes = nodes_in(call.arguments) if call.type == PLAN_CALL else ()
    yield from tree_lines([TreeNode.of(node) for node in nodes], glyphs_of(terminal.stdout()))
    arguments = safe_json(json.dumps(call.arguments, indent=2, ensure_ascii=False))
    yield from (Text(f"  {line}") for line in arguments.split("\n"))
    if call.type == PLAN_CALL:
        yield from command_lines(task_id, call.name, call)
    else:
        commands = commands_for(task_id, call.name, call)
        yield from (Text(command, style="cyan") for command in commands)
    yield Text()


def _print(call: AskedCall, output: Format) -> None:
    if output is Format.JSON:
        print_json(call)
    else:
        said = call.decision or ""
        print_line(f"{call.name}  {_DECIDED.get(said, said)}")


async def _waiting(client: Client, task_id: str) -> Page[AskedCall]:
    async def fetch(params: Params) -> Page[AskedCall]:
        return await client.approvals(task_id, params)

    return await whole_list(fetch)


async def _find(client: Client, task_id: str, call: str | None) -> tuple[str, UUID | None]:
    """The id of the call that the command line names, and what was asked if it names that."""
    waiting = [_Asked.of(item) for item in (await _waiting(client, task_id)).items]
    if call is None:
        if not waiting:
            raise NothingWaits(task_id=task_id)
        if len(waiting) > 1:
            shown = ", ".join(item.name for item in waiting)
            raise CallNotNamed(task_id=task_id, count=len(waiting), shown=shown)
        return waiting[0].call_id, None
    if (meant := _meant(waiting, call)) is not None:
        return meant
    decided = [
        _Asked(str(step.id), step.name, step.approval.ask_id)
        for step in (await client.task(task_id)).sub_tasks
        if step.approval is not None
    ]
    return _meant(decided, call) or (call, None)  # The API says that there is none.


def _meant(known: Sequence["_Asked"], call: str) -> tuple[str, UUID | None] | None:
    """What is asked comes first: it is named by an id that nothing else has."""
    by_ask = [item for item in known if _begins(item.ask_id, call)]
    if len(by_ask) == 1:
        return by_ask[0].call_id, by_ask[0].ask_id
    by_call = {item.call_id for item in known if item.is_named(call)}
    return (by_call.pop(), None) if len(by_call) == 1 else None


@dataclass(frozen=True, slots=True)
class _Asked:
    call_id: str
    name: str
    ask_id: UUID | None

    @classmethod
    def of(cls, call: AskedCall) -> Self:
        return cls(str(call.call_id), call.name, call.ask_id)

    def is_named(self, call: str) -> bool:
        names = (self.call_id, self.name, self.name.partition(" ")[0])
        return call in names or _begins(self.call_id, call)


def _begins(name: object, typed: str) -> bool:
    return len(typed) >= LEAST_CHARACTERS and str(name).startswith(typed.lower())
