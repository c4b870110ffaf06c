"""Schedules as tables."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.cli import terminal
from api.cli.commands.printing import (
    Cell,
    print_fields,
    print_table,
    print_title,
    short_id,
    status_cell,
    when,
)
from api.cli.terminal import safe_line
from api.wire.responses.schedules import Schedule, ScheduleSummary
from workflows.states import TaskType

_TIMES_SHOWN = 10


def print_schedules(schedules: Sequence[ScheduleSummary]) -> None:
    columns = ("ID", "NAME", "WHEN", "STATE", "NEXT", "LAST RUN")
    print_table(columns, [_row(item) for item in schedules], cut="NAME")
    _tell_problems(schedules)


def print_schedule(schedule: Schedule) -> None:
    print_fields(_fields(schedule))
    if schedule.next_times:
        print_title("Next")
        for moment in schedule.next_times[:_TIMES_SHOWN]:
            print_fields([("", _moment(schedule, moment))])
    if schedule.runs:
        print_title("Last runs")
        rows = [
            (
                short_id(run.task_id),
                status_cell(run.status),
                "" if run.scheduled_at is None else _moment(schedule, run.scheduled_at),
                when(run.finished_at),
                "" if run.error is None else str(run.error.get("message", "")),
            )
            for run in schedule.runs
        ]
        print_table(("TASK", "STATUS", "DUE", "ENDED", "NOTE"), rows, cut="NOTE")
    _tell_problems([schedule])


def _row(schedule: ScheduleSummary) -> Sequence[Cell]:
    following = schedule.next_times[:1] if schedule.next_times else []
    last = schedule.runs[:1]
    return (
        short_id(schedule.id),
        schedule.name,
        _timing(schedule),
        "paused" if schedule.paused else "active",
        _moment(schedule, following[0]) if following else "",
        status_cell(last[0].status) if last else "",
    )


def _fields(schedule: Schedule) -> Sequence[tuple[str, Cell]]:
    asked = schedule.task.get("type") or (
        TaskType.PIPELINE if "pipeline" in schedule.task else TaskType.AUTO
    )
    counts = [(schedule.left_out, "left out"), (schedule.missed, "missed")]
    told = ", ".join(f"{count} {what}" for count, what in counts if count)
    fields: list[tuple[str, Cell]] = [
        ("Schedule", str(schedule.id)),
        ("Name", schedule.name),
        ("When", _timing(schedule)),
        ("State", "paused" if schedule.paused else "active"),
        ("Task", str(asked)),
        ("Overlap", schedule.overlap.value),
        ("Catch up", schedule.catch_up),
    ]
    if told:
        fields.append(("Runs", told))
    if schedule.note:
        fields.append(("Note", schedule.note))
    return fields


def _timing(schedule: ScheduleSummary) -> str:
    if schedule.cron is None:
        return f"every {schedule.every}"
    return f"{schedule.cron} ({schedule.time_zone})"


def _moment(schedule: ScheduleSummary, moment: datetime) -> str:
    """For people by the clock of the schedule's zone."""
    if not terminal.stdout().is_terminal:
        return moment.isoformat(timespec="seconds")
    try:
        zone = ZoneInfo(schedule.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return f"{moment.astimezone(UTC):%F %T} UTC"  # This machine may know fewer.
    return f"{moment.astimezone(zone):%a %F %T %Z}"


def _tell_problems(schedules: Sequence[ScheduleSummary]) -> None:
    for problem in dict.fromkeys(item.problem for item in schedules if item.problem):
        line = f"The next times are not known: {problem}"
        terminal.stderr().print(safe_line(line), style="dim", soft_wrap=True)
