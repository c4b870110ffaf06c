"""Schedules as tables."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import JsonValue

from api.cli import terminal
from api.cli.commands.intervals import interval
from api.cli.commands.printing import (
    Cell,
    at,
    beginning,
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
    spare = ("ID", "LAST RUN", "STATE", "NEXT")  # A schedule is named by its name as well.
    print_table(columns, [_row(item) for item in schedules], cut="NAME", spare=spare)
    _tell_problems(schedules)


def print_schedule(schedule: Schedule) -> None:
    print_fields([*_fields(schedule), *_asked(schedule.task)])
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
        print_table(("TASK", "STATUS", "DUE", "ENDED", "NOTE"), rows, cut="NOTE", spare=("ENDED",))
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
        ("Catch up", interval(schedule.catch_up)),
    ]
    if told:
        fields.append(("Runs", told))
    if schedule.note:
        fields.append(("Note", schedule.note))
    return fields


def _asked(task: Mapping[str, JsonValue]) -> Iterator[tuple[str, Cell]]:
    """What would run."""
    prompt, inputs = task.get("prompt"), task.get("inputs")
    if isinstance(prompt, str):
        yield "Prompt", beginning(prompt)
    match task.get("pipeline"):
        case {"steps": [*steps], **named}:
            names = [str(step.get("id", "")) for step in steps if isinstance(step, dict)]
            yield "Pipeline", f"{named.get('name', '')}: {', '.join(names)}"
    for key in ("agent", "plan", "auto"):
        if task.get(key):
            yield key.capitalize(), beginning(json.dumps(task[key], ensure_ascii=False))
    if isinstance(inputs, dict):
        for name, reference in inputs.items():
            yield f"Input {name}", str(reference)


def _timing(schedule: ScheduleSummary) -> str:
    if schedule.every is not None:
        return f"every {interval(schedule.every)}"
    return f"{schedule.cron} ({schedule.time_zone})"


def _moment(schedule: ScheduleSummary, moment: datetime) -> str:
    """By the clock of the schedule's zone."""
    try:
        return at(moment, ZoneInfo(schedule.time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        return at(moment)  # This machine may know fewer.


def _tell_problems(schedules: Sequence[ScheduleSummary]) -> None:
    for problem in dict.fromkeys(item.problem for item in schedules if item.problem):
        line = f"The next times are not known: {problem}"
        terminal.stderr().print(safe_line(line), style="dim", soft_wrap=True)
