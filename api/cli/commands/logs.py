"""``agentos logs``: what the steps of a task printed, and those of a plan's nodes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import typer

from api.cli import terminal
from api.cli.commands.log_lines import MOST_TAIL_LINES, LogLines, Printed, print_attempt
from api.cli.commands.options import Format, NoPager, Output, TaskId
from api.cli.commands.pages import page_after_page
from api.cli.commands.printing import print_json, print_json_line
from api.cli.commands.task_ids import talk_about
from api.cli.errors import StepUnknown
from api.cli.pager import paged
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.client.transport import Params
from api.wire.responses.history import Attempt
from api.wire.responses.pages import MAX_PAGE, Page
from workflows.events import Event, NodeStarted, PlanOpened, StepEvent, StepOutput, StepStarted
from workflows.item_names import step_of


@dataclass(frozen=True, slots=True)
class _Log:
    """That of a task, or of a ``step`` of it. ``prefix`` names the nodes that lead to the task."""

    task_id: str
    step: str | None
    prefix: str = ""

    def of_node(self, name: str, task_id: UUID | None) -> "_Log | None":
        """That of a node, if it is wanted: ``NODE/STEP`` is a step of it."""
        if task_id is None:
            return None
        if self.step is None:
            return _Log(str(task_id), None, f"{self.prefix}{name}/")
        node, _, rest = self.step.partition("/")
        return _Log(str(task_id), rest or None) if node == name else None


def logs(
    context: typer.Context,
    *,
    task: TaskId,
    step: Annotated[
        str | None,
        typer.Option(
            metavar="STEP",
            show_default=False,
            help="Only this step; of a plan, this node, or NODE/STEP.",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep printing new output until the task ends.")
    ] = False,
    tail: Annotated[
        int | None,
        typer.Option(
            "--tail",
            "-n",
            min=0,
            max=MOST_TAIL_LINES,
            metavar="N",
            show_default=False,
            help="Only the last N lines of what was printed so far.",
        ),
    ] = None,
    no_pager: NoPager = False,
    output: Output = Format.TABLE,
) -> None:
    """Print what the steps of a task printed."""

    async def converse(client: Client, task_id: str) -> None:
        log = _Log(task_id, step)
        printed = Printed(tail)
        if follow:
            await _follow(client, log, output, printed)
        elif output is Format.JSON:
            pages = [page async for page, _ in _pages(client, log)]
            items = [attempt for page in pages for attempt in page.items]
            print_json(pages[-1].model_copy(update={"items": items}))
        else:
            async for page, is_labelled in _pages(client, log):
                for attempt in page.items:
                    print_attempt(attempt, printed, is_labelled=is_labelled)
            printed.end()

    is_text = output is Format.TABLE and not follow
    with paged(wanted=not no_pager and is_text and tail is None):
        talk_about(context, task, converse)


async def _pages(client: Client, log: _Log) -> AsyncIterator[tuple[Page[Attempt], bool]]:
    """Those of the task, and then those of its nodes, in their order; whether they are of several
    steps."""

    async def fetch(params: Params) -> Page[Attempt]:
        return await client.attempts(log.task_id, params)

    parts = (await client.task(log.task_id)).sub_tasks
    has_items = any(part.item_of == log.step for part in parts if part.item_of is not None)
    inner = [log.of_node(part.name, part.task_id) for part in parts]
    within = [node for node in inner if node is not None]
    if any(node.step is not None for node in within):
        async for found in _pages(client, within[0]):  # A step of a node is none of the plan.
            yield found
        return
    wanted: Params = (
        {"limit": MAX_PAGE} if log.step is None else {"limit": MAX_PAGE, "step": log.step}
    )
    async for page in page_after_page(fetch, wanted):
        named = [
            item.model_copy(update={"step": f"{log.prefix}{item.step}"}) for item in page.items
        ]
        yield page.model_copy(update={"items": named}), log.step is None or has_items
    for node in within:
        async for found in _pages(client, node):
            yield found


async def _follow(client: Client, log: _Log, output: Format, printed: Printed) -> None:
    """Print what a task prints, and what its nodes do from when they begin."""
    last = (await client.task(log.task_id)).last_event
    lines = LogLines(printed, is_labelled=log.step is None, prefix=log.prefix)
    inner: dict[UUID | None, asyncio.Task[None]] = {}
    names: dict[str, None] = {}
    try:
        async for sent in client.events(log.task_id, on_lost=_tell_lost):
            event = sent.payload
            names |= dict.fromkeys(_names_in(event))
            if isinstance(event, NodeStarted) and event.task_id not in inner:
                of_node = log.of_node(event.node, event.task_id)
                if of_node is not None:
                    following = _follow(client, of_node, output, printed)
                    inner[event.task_id] = asyncio.create_task(following)
            if log.step is not None and not _is_of(event, log.step):
                continue
            if output is Format.TABLE:
                lines.is_labelled |= isinstance(event, StepStarted) and event.items is not None
                lines.take(event)
            elif isinstance(event, StepOutput):
                print_json_line(sent)
            if sent.seq >= last:  # What comes now is new.
                printed.end()
        printed.end()
        await asyncio.gather(*inner.values())
        if log.step and names.keys().isdisjoint((log.step, log.step.partition("/")[0])):
            raise StepUnknown(task_id=log.task_id, step=log.step, known=", ".join(names) or "none")
    finally:
        for task in inner.values():
            task.cancel()


def _names_in(event: Event | None) -> Iterable[str]:
    """Of steps and nodes; an event may tell of several."""
    if isinstance(event, PlanOpened):
        return [node.id for node in event.nodes]
    if isinstance(event, NodeStarted):
        return [event.node]
    return [event.step] if isinstance(event, StepEvent) else ()


def _is_of(event: Event | None, step: str) -> bool:
    """Or of an item of that step."""
    return isinstance(event, StepEvent) and step in (event.step, step_of(event.step))


def _tell_lost(reason: str) -> None:
    line = f"Lost the connection ({reason}); trying again."
    terminal.stderr().print(safe_line(line), style="yellow", soft_wrap=True)
