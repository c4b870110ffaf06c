"""The form as it is drawn: what stands in it, what is wrong, and what there is to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from activities.off_loop import off_loop
from api.errors import InvalidRequest
from api.http.drafts import draft_of
from api.services import Services
from api.tasks.drafts import PIPELINE, Draft, check, found_in
from api.web.new_task.fields import Filled, InputRow, document_of, field_of
from api.wire.responses.checks import FoundProblem, TaskCheck
from workflows.definitions.task_request import TaskRequest


@dataclass(frozen=True, slots=True)
class View:
    """``problems`` are those of fields, by their names, ``others`` those without a field, and
    ``of_pipeline`` those in its text. ``rows`` are the inputs to ask for."""

    filled: Filled
    rows: Sequence[InputRow] = ()
    check: TaskCheck | None = None
    problems: dict[str, str] = field(default_factory=dict)
    others: Sequence[str] = ()
    of_pipeline: Sequence[FoundProblem] = ()

    def problem(self, name: str) -> str:
        return self.problems.get(name, "")


async def judged(
    services: Services, team_id: UUID, filled: Filled
) -> tuple[Draft[TaskRequest], View]:
    """What was filled in as a draft, and the form with everything that is wrong with it."""
    draft: Draft[TaskRequest]
    try:
        draft = await off_loop(_draft, filled)
    except InvalidRequest as error:
        draft = Draft(problems=error.problems)
        checked = TaskCheck(valid=False, problems=await off_loop(found_in, draft))
    else:
        checked = await check(services, team_id, draft)
    return draft, view_of(filled, checked)


def _draft(filled: Filled) -> Draft[TaskRequest]:
    return draft_of(TaskRequest, document_of(filled))


def begun(filled: Filled) -> View:
    """The form before anybody has asked what is wrong with it."""
    return view_of(filled, TaskCheck(valid=False, problems=[]))


def view_of(filled: Filled, checked: TaskCheck) -> View:
    """The form with what a check has found, each thing beside its field."""
    rows = _rows(filled, checked)
    filled = replace(filled, inputs=rows)
    of_pipeline = [each for each in checked.problems if _is_of_pipeline(each, filled)]
    fields: dict[str, str] = {}
    others: list[str] = []
    for each in checked.problems:
        if _is_of_pipeline(each, filled):
            continue
        if name := field_of(each.pointer, filled):
            fields[name] = f"{fields[name]}; {each.message}" if name in fields else each.message
        else:
            others.append(each.message)
    of_pipeline.sort(key=lambda each: (each.line or 0, each.column or 0))
    return View(filled, rows, checked, fields, others, of_pipeline)


def _is_of_pipeline(problem: FoundProblem, filled: Filled) -> bool:
    is_within = f"{problem.pointer}/".startswith(f"{PIPELINE}/")
    return filled.type == "pipeline" and is_within


def _rows(filled: Filled, checked: TaskCheck) -> tuple[InputRow, ...]:
    """Of a pipeline that can be read, a row for each input that it declares, and then those that
    are given besides; of all others those that are given, and an empty one."""
    if filled.type != "pipeline":
        return (*(row for row in filled.inputs if row.name or row.ref), InputRow(""))
    if checked.type is None:
        return filled.inputs
    wanted = [each.name for each in checked.inputs]
    declared = (InputRow(name, filled.given(name)) for name in wanted)
    return (*declared, *(row for row in filled.inputs if row.ref and row.name not in wanted))
