"""``agentos result``: what a task gave."""

import typer

from api.cli import exit_codes, terminal
from api.cli.commands.options import Format, Output, TaskId, Timeout, Wait
from api.cli.commands.pages import page_after_page
from api.cli.commands.printing import print_document, print_text
from api.cli.commands.task_ids import talk_about
from api.cli.commands.waiting import wait_for_end
from api.cli.errors import NoResultYet
from api.cli.exit_codes import ExitCode
from api.cli.failures import tell
from api.client import AsyncClient as Client
from api.client import TaskUnsuccessful
from api.client.results import result_of
from api.client.transport import Params
from api.wire.responses.pages import MAX_PAGE
from api.wire.responses.tasks import AgentResult, Result, Task
from workflows.states import Status


def result(
    context: typer.Context,
    task: TaskId,
    *,
    wait: Wait = False,
    timeout: Timeout = None,
    output: Output = Format.TABLE,
) -> None:
    """Print what a task gave, and nothing else.

    That is the summary of an agent or a plan, or its result as JSON where it was given a schema; of
    a pipeline, what its last step printed. Of one with items that is the list of what these printed
    if it is JSON, and else one after the other. With -o json it is the ``result`` of the task's
    document, with its files.
    """
    if timeout is not None and not wait:
        raise typer.BadParameter("it needs --wait", param_hint="--timeout")

    async def converse(client: Client, task_id: str) -> ExitCode:
        if wait:
            code = await wait_for_end(client, task_id, timeout_seconds=timeout)
            if code is not ExitCode.OK:  # Why was told.
                return code
        found = await client.task(task_id)
        if not found.status.is_final:
            raise NoResultYet(task_id=task_id, status=found.status.value)
        try:
            given = found.result if isinstance(found.result, dict) else result_of(found)
        except TaskUnsuccessful as error:
            tell(error)
            return exit_codes.of_task(found.status)
        if output is Format.JSON or isinstance(given, dict):
            print_document(given)
        elif isinstance(given, AgentResult):
            print_document(given.result) if given.result is not None else print_text(given.summary)
        else:
            await _print_given(client, found, given)
        _tell_of_files(found)
        return ExitCode.OK

    raise typer.Exit(talk_about(context, task, converse))


async def _print_given(client: Client, task: Task, given: Result) -> None:
    steps = (step for step in task.sub_tasks if step.name == given.step and step.item_of is None)
    last = next(steps, None)
    has_items = last is not None and last.items is not None
    printed = {} if has_items and given.json_ is not None else await _printed(client, task, given)
    if given.step in printed and not has_items:
        _print_output(printed[given.step])
    elif given.json_ is not None:  # Nothing has printed that as a whole.
        print_document(given.json_)
    else:
        for item in sorted(printed.keys() - {given.step}, key=_number):
            _print_output(printed[item])


async def _printed(client: Client, task: Task, given: Result) -> dict[str, str]:
    """What the last completed attempt at a step has printed, and at each of its items, by name."""
    wanted: Params = {"step": given.step, "limit": MAX_PAGE}
    printed: dict[str, str] = {}
    async for page in page_after_page(lambda params: client.attempts(task.task_id, params), wanted):
        for attempt in page.items:
            if attempt.status is Status.COMPLETED:
                printed[attempt.step] = attempt.stdout
    return printed


def _number(item: str) -> int:
    return int(item.rpartition("[")[2].rstrip("]"))


def _print_output(text: str) -> None:
    if text:
        print_text(text.removesuffix("\n"))


def _tell_of_files(task: Task) -> None:
    if count := sum(1 for artifact in task.artifacts if artifact.sha256):
        files = "1 file" if count == 1 else f"{count} files"
        line = f"{files}: agentos artifacts get {task.task_id}"
        terminal.stderr().print(line, style="dim", soft_wrap=True)
