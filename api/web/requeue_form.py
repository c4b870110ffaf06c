"""What somebody asks for when a task is to run again: as fields of a page, and as a request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue
from starlette.datastructures import FormData

from api.dead_letters.letters import digest_of
from api.http.bodies import checked
from api.web import arguments
from api.web.forms import text_of
from api.web.task_definition import in_order
from api.web.task_places import named_parts
from api.wire.requests import RequeueRequest
from api.wire.responses.dead_letters import Foresight
from api.wire.responses.tasks import Task
from api.wire.yaml_writer import yaml_text
from workflows.pointers import Problem
from workflows.states import TaskType

# What is longer is edited as a file: `agentos dlq requeue --pipeline FILE`.
MAX_PIPELINE_CHARACTERS = 100_000
START = "start"
_INPUT = "input-"


@dataclass(frozen=True, slots=True)
class RequeueForm:
    """``places`` are where it can begin. ``foreseen`` is what the request ``seen`` would do; None:
    that cannot be, for the reasons in ``problems`` and ``said``."""

    places: Sequence[str]
    begin: str
    inputs: Mapping[str, str]
    pipeline: str
    pipeline_digest: str
    description: str
    note: str
    has_description: bool
    foreseen: Foresight | None = None
    seen: str = ""
    said: str = ""
    problems: Sequence[Problem] = ()
    is_changed: bool = False

    def problem(self, *pointers: str) -> str:
        """What is wrong at some place."""
        found = [
            f"{each.pointer.removeprefix(place)} {each.message}".strip()
            for each in self.problems
            for place in pointers
            if each.pointer == place or each.pointer.startswith(f"{place}/")
        ]
        return "; ".join(found[:5])


def form_of(task: Task, given: FormData | None = None, **more: Any) -> RequeueForm:
    """With what was ``given``, or as the task is."""
    fields: Mapping[str, Any] = given if given is not None else {}
    pipeline = pipeline_of(task)
    is_plan = task.type == TaskType.PLAN
    return RequeueForm(
        places=[START, *named_parts(task)],
        begin=str(fields.get("from", "")),
        inputs={name: str(fields.get(f"{_INPUT}{name}", ref)) for name, ref in task.inputs.items()}
        | _new_inputs(fields, task),
        pipeline=str(fields.get("pipeline", pipeline)),
        pipeline_digest=arguments.digest_of(pipeline) if pipeline else "",
        description=str(fields.get("description", "")),
        note=str(fields.get("note", "")),
        has_description=is_plan,
        **more,
    )


def request_in(fields: FormData, task: Task) -> RequeueRequest:
    """What is asked for: no more than what somebody has changed. Raises ``InvalidRequest``."""
    document: dict[str, JsonValue] = {"note": text_of(fields, "note")}
    for name, field in (("from", "from"), ("description", "description")):
        if said := str(fields.get(field, "")).strip():
            document[name] = said
    inputs = {
        name: said
        for name, ref in task.inputs.items()
        if (said := str(fields.get(f"{_INPUT}{name}", ref)).strip()) != ref
    }
    pipeline = text_of(fields, "pipeline")
    if pipeline.strip() and arguments.digest_of(pipeline) != fields.get("pipeline_digest"):
        document["pipeline"] = pipeline
        inputs |= _new_inputs(fields, task)
    if inputs:
        document["inputs"] = dict(inputs)
    return checked(RequeueRequest, document)


def _new_inputs(fields: Mapping[str, Any], task: Task) -> dict[str, str]:
    """What is given for inputs that only a new pipeline has."""
    given = {name.removeprefix(_INPUT): name for name in fields if name.startswith(_INPUT)}
    return {
        name: ref
        for name, field in given.items()
        if name not in task.inputs and (ref := str(fields[field]).strip())
    }


def pipeline_of(task: Task) -> str:
    """The pipeline as YAML, if it is one that can be edited on a page."""
    if task.type != TaskType.PIPELINE or task.definition is None:
        return ""
    text = yaml_text(in_order(task.definition))
    return text if len(text) <= MAX_PIPELINE_CHARACTERS else ""


def seen_of(request: RequeueRequest) -> str:
    """Tells whether what somebody asks for is what they were shown the consequences of."""
    return digest_of(request)
