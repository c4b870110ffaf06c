"""The choice of many tasks, and what is done about those."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from api.cli import terminal
from api.cli.commands import moments
from api.cli.commands.asking import ask
from api.cli.commands.bulk import progress_text
from api.cli.commands.foresight import print_foresight
from api.cli.commands.options import Format, talk
from api.cli.commands.printing import print_json
from api.cli.commands.request_body import built
from api.cli.commands.task_filter import TaskFilter
from api.cli.display.amounts import counted
from api.client import AsyncClient as Client
from api.wire.bulk_tasks import BulkRetryRequest, BulkTasksRequest
from workflows.states import BulkAction

Every = Annotated[bool, typer.Option("--all", help="All tasks that it is possible with.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many tasks these would be.")]

_VERBS = {
    BulkAction.CANCEL: "Cancel",
    BulkAction.RETRY: "Retry",
    BulkAction.DELETE: "Delete, with all that they made,",
}


_WOULD = {
    BulkAction.CANCEL: "would be cancelled",
    BulkAction.RETRY: "would be retried",
    BulkAction.DELETE: "would be deleted, with all that they made",
}


@dataclass(frozen=True, slots=True)
class Choice(TaskFilter):
    """The filter of a command line, as far as it was given, or ``every`` task."""

    every: bool = False

    @property
    def is_given(self) -> bool:
        return self.every or bool(self.fields)

    def check(self, named: object) -> None:
        """A command is about tasks that are named, or about those of a filter.

        Raises:
            typer.BadParameter
        """
        if not named and not self.is_given:
            message = (
                "name a task, or say which: --status, --type, --name, --text, --since, "
                "--older-than or --all"
            )
            raise typer.BadParameter(message, param_hint="ID")
        if named and self.is_given:
            message = "with an ID, it is about that one alone; leave the filter out"
            raise typer.BadParameter(message, param_hint="ID")
        moments.check_order(self.after, self.before)
        if self.every and self.fields:
            raise typer.BadParameter("leave it out, or the filter", param_hint="--all")

    def request(self, model: type[BulkTasksRequest], **more: object) -> BulkTasksRequest:
        which = {"all": True} if self.every else {"filter": self.fields}
        given = {name: value for name, value in more.items() if value is not None}
        return built(model, {**which, **given})


def only_of_one(options: Mapping[str, object]) -> None:
    """Refuse options that are for a single task. Raises ``typer.BadParameter``."""
    for name, value in options.items():
        if value:
            raise typer.BadParameter("it is for a single task; name one", param_hint=name)


def do_about_many(
    context: typer.Context, request: BulkTasksRequest, *, dry_run: bool, yes: bool, output: Format
) -> None:
    """Show the number, ask on a terminal, and start the bulk run."""
    talk(
        context,
        lambda client: _do_about_many(client, request, dry_run=dry_run, yes=yes, output=output),
    )


def _would(action: BulkAction, count: int) -> str:
    return f"{counted(count, 'task')} {_WOULD[action]}. Nothing was changed."


async def _do_about_many(
    client: Client, request: BulkTasksRequest, *, dry_run: bool, yes: bool, output: Format
) -> None:
    foreseen = await client.many_tasks.foresee(request)
    if dry_run:
        if output is Format.JSON or isinstance(request, BulkRetryRequest):
            print_foresight(foreseen, output)
        else:
            typer.echo(f"{foreseen.count:,}")
            terminal.stderr().print(_would(request.action, foreseen.count), style="dim")
        return
    if not foreseen.count:
        terminal.stderr().print("There is no such task.", style="dim")
        if output is Format.JSON:
            print_json(foreseen)
        return
    noun = "task" if foreseen.count == 1 else "tasks"
    ask(f"{_VERBS[request.action]} {foreseen.count:,} {noun}?", yes=yes)
    # What ends before the answer was not asked about.
    run = await client.many_tasks.start(request.model_copy(update={"as_of": foreseen.as_of}))
    if output is Format.JSON:
        print_json(run)
        return
    typer.echo(str(run.id))
    hint = f"{progress_text(run)}. Follow it with: agentos bulk show {run.id}"
    terminal.stderr().print(hint, style="dim", soft_wrap=True)
