"""A task that an agent that stays begins: judged as if a person had asked for it, and made once."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from pydantic import JsonValue, ValidationError

from activities.begun.bounds import within
from activities.begun.errors import TooManyTasksBegun
from activities.kinds.errors import TaskRefused
from activities.kinds.pipeline_validation import problems_with_code
from activities.store.begun_tasks import begin
from activities.store.reading.tasks import StoredTask, find_task_of_any_team
from activities.submissions import submission_of
from activities.tools.context import AgentContext
from activities.tools.working_files import WorkingFiles, working_files
from workflows.definitions.task_request import TaskRequest
from workflows.errors.tools import WorkingFileNotFound
from workflows.pointers import problems_in

MAX_LIVING = 100


async def begin_task(
    context: AgentContext, task_id: UUID, wanted: Mapping[str, JsonValue], files: Mapping[str, str]
) -> StoredTask | None:
    """Make the task, unless it is there already; ``files`` are its inputs, by name, as the agent
    calls them. The API starts it. None where it was deleted meanwhile.

    Raises:
        TaskRefused, InputsGone, MoreThanOwn, TooManyTasksBegun, WorkingFileNotFound
    """
    caller, database = context.caller, context.equipment.database
    if (earlier := await find_task_of_any_team(database, task_id)) is not None:
        return earlier
    inputs: dict[str, JsonValue] = {}
    if files:
        known = await working_files(database, context.task_id, context.team_id)
        inputs = {name: _reference(known, file) for name, file in files.items()}
    request = within(_request({**wanted, "inputs": inputs}), caller.definition)
    submission = submission_of(request)
    installed = context.equipment.installed
    await submission.check(installed, context.team_id)
    if request.pipeline is not None and (
        found := await problems_with_code(installed.catalogue, request.pipeline, by_model=True)
    ):
        raise TaskRefused(found)
    task = replace(submission.task(task_id, context.team_id), agent_id=caller.agent_id)
    living = await begin(database, task, hops=caller.hops, most=MAX_LIVING)
    if living is not None:
        raise TooManyTasksBegun(number=living)
    return await find_task_of_any_team(database, task_id)


def _request(wanted: Mapping[str, JsonValue]) -> TaskRequest:
    document = dict(wanted)
    try:
        return TaskRequest.model_validate(document)
    except ValidationError as error:
        found = problems_in(error.errors(include_url=False), document, model=TaskRequest)
        raise TaskRefused(found) from error


def _reference(known: WorkingFiles, file: str) -> str:
    """Of a file that the agent has, or of another of its team, which is judged like any input."""
    try:
        return known.find(file).ref
    except WorkingFileNotFound:
        if ":" in file:
            return file.strip()
        raise
