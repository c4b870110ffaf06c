"""``agentos watch|trace|cancel|pause|resume``: follow and control tasks."""

import typer

from api.cli import terminal
from api.cli.commands.foresight import Yes
from api.cli.commands.options import Format, NoPager, Output, SomeTaskId, TaskId, Timeout
from api.cli.commands.printing import print_json, print_json_line
from api.cli.commands.task_choice import Choice, DryRun, Every, do_about_many
from api.cli.commands.task_filter import NewerThan, OfName, OfStatus, OfType, OlderThan, WithText
from api.cli.commands.task_ids import talk_about
from api.cli.commands.trace_view import print_trace
from api.cli.commands.waiting import wait_for_end
from api.cli.exit_codes import ExitCode
from api.cli.pager import paged
from api.client import AsyncClient as Client
from api.wire.bulk_tasks import BulkCancelRequest
from api.wire.responses.tasks import Changed
from workflows.states import Status


def watch(
    context: typer.Context, task: TaskId, timeout: Timeout = None, output: Output = Format.TABLE
) -> None:
    """Follow a task until it ends. With -o json, print its events, one per line."""

    on_event = print_json_line if output is Format.JSON else None

    async def follow(client: Client, task_id: str) -> ExitCode:
        return await wait_for_end(client, task_id, timeout_seconds=timeout, on_event=on_event)

    raise typer.Exit(talk_about(context, task, follow))


def trace(
    context: typer.Context, task: TaskId, no_pager: NoPager = False, output: Output = Format.TABLE
) -> None:
    """Show where a task spent its time."""
    span = talk_about(context, task, Client.trace)
    if output is Format.JSON:
        print_json(span)
        return
    with paged(wanted=not no_pager):
        print_trace(span)


def cancel(
    context: typer.Context,
    *,
    task: SomeTaskId = None,
    statuses: OfStatus = None,
    types: OfType = None,
    name: OfName = None,
    text: WithText = None,
    after: NewerThan = None,
    before: OlderThan = None,
    every: Every = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Cancel a task. Results of finished steps are kept.

    Without an ID, a filter says which tasks.
    """
    choice = Choice(statuses, types, text, name, after, before, every)
    choice.check(task)
    if task is None:
        request = choice.request(BulkCancelRequest)
        do_about_many(context, request, dry_run=dry_run, yes=yes, output=output)
        return
    changed = talk_about(context, task, Client.cancel)
    is_cancelled = changed.status is Status.CANCELLED
    follows = "It is cancelled." if is_cancelled else "It is being cancelled."
    _print_changed(changed, output, follows)


def pause(context: typer.Context, task: TaskId, output: Output = Format.TABLE) -> None:
    """Pause a task before its next step or turn."""
    changed = talk_about(context, task, Client.pause)
    is_paused = changed.status is Status.PAUSED
    follows = "It is paused." if is_paused else "It will pause before its next step or turn."
    _print_changed(changed, output, follows)


def resume(context: typer.Context, task: TaskId, output: Output = Format.TABLE) -> None:
    """Resume a paused task."""
    _print_changed(talk_about(context, task, Client.resume), output, "It resumes.")


def _print_changed(changed: Changed, output: Format, follows: str) -> None:
    """``follows`` says what happens next: the change may still be under way."""
    if output is Format.JSON:
        print_json(changed)
        return
    typer.echo(f"{changed.task_id}  {changed.status.value}")
    terminal.stderr().print(follows, style="dim")
