"""The fields of a schedule's form, and what is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue
from starlette.datastructures import FormData

from api.http.drafts import draft_of
from api.tasks.drafts import Draft
from api.web.forms import text_of
from api.web.task_definition import request_in_order, request_of
from api.wire.errors import BodyMalformed, TooManyValues
from api.wire.located import Source
from api.wire.responses.checks import FoundProblem, ScheduleCheck
from api.wire.responses.schedules import Schedule
from api.wire.responses.tasks import Task
from api.wire.schedule_requests import ScheduleRequest
from api.wire.yaml_places import Place
from api.wire.yaml_reader import parse_yaml
from api.wire.yaml_writer import yaml_text
from workflows.pointers import Problem

TASK = "task"
NAMES = ("name", "timing", "cron", "every", "time_zone", "overlap", "catch_up", "note", TASK)
_EXAMPLE = """\
type: pipeline
pipeline:
  name: nightly
  steps:
    - id: hello
      code: {language: python, source: print("Hello")}
"""


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """What stands in the form, and what is wrong with it: ``problems`` by the names of fields, and
    ``of_task`` in the text of the task."""

    texts: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)
    of_task: tuple[FoundProblem, ...] = ()
    check: ScheduleCheck | None = None

    def text(self, name: str) -> str:
        return self.texts.get(name, "")

    def problem(self, name: str) -> str:
        return self.problems.get(name, "")


def blank() -> ScheduleView:
    return ScheduleView({"timing": "cron", "cron": "0 8 * * MON-FRI", TASK: _EXAMPLE})


def of_task(task: Task) -> ScheduleView:
    """A schedule that does again what a task has done."""
    name = "".join(c if c.isprintable() else " " for c in task.name).strip()[:150]
    return ScheduleView(
        {"timing": "cron", "cron": "0 8 * * *", "name": name, TASK: yaml_text(request_of(task))}
    )


def of_schedule(schedule: Schedule) -> ScheduleView:
    texts = {
        "name": schedule.name,
        "timing": "cron" if schedule.cron else "every",
        "cron": schedule.cron or "",
        "every": schedule.every or "",
        "time_zone": schedule.time_zone if schedule.cron else "",
        "overlap": str(schedule.overlap),
        "catch_up": schedule.catch_up,
        "note": schedule.note,
        TASK: yaml_text(request_in_order(schedule.task)),
    }
    return ScheduleView(texts)


def texts_of(form: FormData) -> dict[str, str]:
    return {name: text_of(form, name) for name in NAMES if name in form}


def draft_in(texts: Mapping[str, str]) -> Draft[ScheduleRequest]:
    """The schedule that was filled in, right or wrong."""
    document: dict[str, JsonValue] = {"name": texts.get("name", "").strip()}
    timing = "every" if texts.get("timing") == "every" else "cron"
    document[timing] = texts.get(timing, "").strip()
    names = ("time_zone", "overlap", "catch_up", "note")
    for name in names if timing == "cron" else names[1:]:
        if text := texts.get(name, "").strip():
            document[name] = text
    source = Source(f"/{TASK}", texts.get(TASK, ""))
    try:
        document[TASK] = parse_yaml(source.text)
    except BodyMalformed as error:
        place = Place(int(str(error.fields["line"])), int(str(error.fields["column"])))
        message = f"this is not valid YAML: {error.fields['reason']}"
        return Draft(document, problems=(Problem(f"/{TASK}", message),), broken_at=place)
    except TooManyValues as error:
        return Draft(document, problems=(Problem(f"/{TASK}", str(error)),))
    return draft_of(ScheduleRequest, document, (source,))


def judged_view(texts: Mapping[str, str], checked: ScheduleCheck) -> ScheduleView:
    """The form with everything that is wrong with it."""
    fields: dict[str, str] = {}
    within: list[FoundProblem] = []
    for each in checked.problems:
        name = each.pointer.removeprefix("/").partition("/")[0]
        if name == TASK:
            within.append(each)
        else:
            fields.setdefault(name, each.message)
    return ScheduleView(texts, fields, tuple(within), checked)


def change_of(request: ScheduleRequest) -> dict[str, Any]:
    """A schedule as a change of one that there is: everything that the form has."""
    document = request.model_dump(mode="json", exclude_unset=True)
    usual = {"note": ""} if request.cron is None else {"note": "", "time_zone": "UTC"}
    return {**usual, **document}
