"""``agentos schedules``: tasks that are run again and again."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from api.cli import terminal
from api.cli.commands.inputs import GivenInputs, upload_inputs
from api.cli.commands.name_first import NameFirst
from api.cli.commands.options import Format, Output, Result, talk
from api.cli.commands.pages import whole_list
from api.cli.commands.printing import print_json, print_line
from api.cli.commands.request_body import built
from api.cli.commands.schedule_ids import find_schedule_id
from api.cli.commands.schedule_views import print_schedule, print_schedules
from api.cli.commands.task_commands import add_task_commands
from api.cli.errors import NothingToChange
from api.client import AsyncClient as Client
from api.wire.responses.schedules import Schedule
from api.wire.schedule_requests import ScheduleChange, ScheduleRequest
from workflows.definitions.task_request import TaskRequest
from workflows.schedule_contracts import Overlap

app = typer.Typer(no_args_is_help=True)
creating = typer.Typer(cls=NameFirst, no_args_is_help=True)
editing = typer.Typer(cls=NameFirst, invoke_without_command=True)
app.add_typer(creating, name="create", help="Make a schedule. The task comes last, as in submit.")
app.add_typer(editing, name="edit", help="Change a schedule, and its task if one is given.")

_OPTIONS = "schedule"

Named = Annotated[
    str,
    typer.Argument(
        metavar="NAME|ID",
        show_default=False,
        help="A schedule's name, its id, or the first six or more characters of that.",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]
NewName = Annotated[str | None, typer.Option("--name", metavar="NAME", show_default=False)]
CronOption = Annotated[
    str | None,
    typer.Option(
        metavar="FIELDS",
        show_default=False,
        help="Minute, hour, day of the month, month, day of the week: '30 8 * * MON-FRI'.",
    ),
]
EveryOption = Annotated[
    str | None,
    typer.Option(metavar="DURATION", show_default=False, help="An interval: 90s, 5m, 1h, 1d."),
]
Zone = Annotated[
    str | None,
    typer.Option(
        "--zone",
        metavar="ZONE",
        show_default=False,
        help="Whose clock --cron goes by, such as Europe/Berlin.",
    ),
]
OverlapOption = Annotated[
    Overlap | None,
    typer.Option(
        "--overlap",
        show_default=False,
        help="What to do with a run while an earlier one goes on: leave it out, keep one waiting, "
        "cancel the earlier one, or run all.",
    ),
]
CatchUp = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        show_default=False,
        help="How late a run may be that was due while Temporal was away.",
    ),
]
Paused = Annotated[bool, typer.Option("--paused", help="Make it, and let it rest.")]
NoteOption = Annotated[
    str | None, typer.Option("--note", metavar="TEXT", show_default=False, help="Why.")
]


@app.command()
def ls(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the schedules, newest first."""
    page = talk(context, lambda client: whole_list(client.schedules))
    print_json(page) if output is Format.JSON else print_schedules(page.items)


@app.command()
def show(context: typer.Context, schedule: Named, output: Output = Format.TABLE) -> None:
    """Show a schedule with its next times and its last runs."""
    _print(_talk_about(context, schedule, Client.schedule), output)


@app.command()
def pause(
    context: typer.Context, schedule: Named, note: NoteOption = None, output: Output = Format.TABLE
) -> None:
    """Pause a schedule. A task that runs goes on."""
    _change(context, schedule, {"paused": True, "note": note}, output)


@app.command()
def resume(
    context: typer.Context, schedule: Named, note: NoteOption = None, output: Output = Format.TABLE
) -> None:
    """Resume a schedule."""
    _change(context, schedule, {"paused": False, "note": note}, output)


@app.command()
def run(context: typer.Context, schedule: Named, output: Output = Format.TABLE) -> None:
    """Run a schedule now, also one that is paused."""
    asked = _talk_about(context, schedule, Client.run_schedule)
    if output is Format.JSON:
        print_json(asked)
        return
    print_line(str(asked.task_id))
    terminal.stderr().print("That will be its task.", style="dim")


@app.command()
def delete(context: typer.Context, schedule: Named) -> None:
    """Delete a schedule. The tasks that it has made stay, and go on."""
    print_line(_talk_about(context, schedule, _delete))


@creating.callback()
def create(
    context: typer.Context,
    name: Name,
    *,
    cron: CronOption = None,
    every: EveryOption = None,
    zone: Zone = None,
    overlap: OverlapOption = None,
    catch_up: CatchUp = None,
    paused: Paused = False,
    note: NoteOption = None,
) -> None:
    """Make a schedule. The task comes last, as in submit.

    By default it goes by the clock of UTC, leaves out runs that would overlap, and makes up for
    runs of the last hour after Temporal was away.
    """
    given = _given(
        name=name, cron=cron, every=every, time_zone=zone, overlap=overlap, catch_up=catch_up
    )
    context.meta[_OPTIONS] = {**given, **_given(note=note), "paused": paused}


@editing.callback()
def edit(
    context: typer.Context,
    schedule: Named,
    *,
    name: NewName = None,
    cron: CronOption = None,
    every: EveryOption = None,
    zone: Zone = None,
    overlap: OverlapOption = None,
    catch_up: CatchUp = None,
    note: NoteOption = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a schedule, and its task if one is given. What is left out stays as it is."""
    given = _given(
        name=name, cron=cron, every=every, time_zone=zone, overlap=overlap, catch_up=catch_up
    )
    context.meta[_OPTIONS] = schedule, {**given, **_given(note=note)}
    if context.invoked_subcommand is not None:
        return
    if len(given) + (note is not None) == 0:
        raise NothingToChange
    _change(context, schedule, {**given, "note": note}, output)


def _create(
    context: typer.Context,
    request: TaskRequest,
    given: GivenInputs,
    *,
    output: Output = Format.TABLE,
) -> None:
    options = context.meta[_OPTIONS]
    wanted = built(ScheduleRequest, {**options, "task": request})

    async def converse(client: Client) -> Schedule:
        task = request.model_copy(update={"inputs": await upload_inputs(client, given)})
        return await client.create_schedule(wanted.model_copy(update={"task": task}))

    _print(talk(context, converse), output)


def _edit(
    context: typer.Context,
    request: TaskRequest,
    given: GivenInputs,
    *,
    output: Output = Format.TABLE,
) -> None:
    schedule, options = context.meta[_OPTIONS]
    change = built(ScheduleChange, {**options, "task": request})

    async def converse(client: Client, schedule_id: str) -> Schedule:
        task = request.model_copy(update={"inputs": await upload_inputs(client, given)})
        return await client.change_schedule(schedule_id, change.model_copy(update={"task": task}))

    _print(_talk_about(context, schedule, converse), output)


add_task_commands(creating, _create)
add_task_commands(editing, _edit)


def _change(context: typer.Context, schedule: str, given: dict[str, Any], output: Format) -> None:
    change = built(ScheduleChange, _given(**given))

    async def converse(client: Client, schedule_id: str) -> Schedule:
        return await client.change_schedule(schedule_id, change)

    _print(_talk_about(context, schedule, converse), output)


def _talk_about(
    context: typer.Context, text: str, conversation: Callable[[Client, str], Awaitable[Result]]
) -> Result:
    async def converse(client: Client) -> Result:
        return await conversation(client, await find_schedule_id(client, text))

    return talk(context, converse)


async def _delete(client: Client, schedule_id: str) -> str:
    await client.delete_schedule(schedule_id)
    return schedule_id


def _print(schedule: Schedule, output: Format) -> None:
    print_json(schedule) if output is Format.JSON else print_schedule(schedule)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
