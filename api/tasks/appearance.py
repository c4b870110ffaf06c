"""What Temporal is shown of our workflows: titles, details and search attributes.

Whoever may look into its namespace may read this. Titles and details are encrypted where payloads
are; search attributes never are, so words of users are in them only where nothing is encrypted.
"""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from pydantic import JsonValue

from activities.store.keys import team_name
from api.services import Services
from api.temporal_labels import Appearance
from workflows.details import Told, details_of, link
from workflows.labels import CONVERSATION, SCHEDULE, Labels
from workflows.markdown import code
from workflows.states import TaskType

_TEAMS_REMEMBERED = 10_000


class ShownTask(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def team_id(self) -> UUID: ...
    @property
    def type(self) -> TaskType: ...
    @property
    def name(self) -> str: ...
    @property
    def run(self) -> int: ...
    @property
    def prompt(self) -> str | None: ...
    @property
    def inputs(self) -> Mapping[str, str]: ...
    @property
    def definition(self) -> Mapping[str, JsonValue]: ...
    @property
    def parent_id(self) -> UUID | None: ...
    @property
    def schedule_id(self) -> UUID | None: ...
    @property
    def agent_id(self) -> UUID | None: ...
    @property
    def created_by(self) -> str | None: ...


async def of_task(services: Services, task: ShownTask) -> Appearance:
    is_open, page = _is_open(services), services.options.page_url
    told = Told(
        task_id=task.id,
        type=task.type,
        run=task.run,
        page=page,
        origin=_origin(page, task, is_open=is_open),
        parts=_parts(task),
        inputs=tuple(task.inputs),
        prompt=task.prompt,
        is_open=is_open,
    )
    return Appearance(
        title=task.name if is_open else f"{task.type} {_short(task.id)}",
        details=details_of(told),
        labels=await _labels(services, task.team_id, task.type, task.name),
        page=page,
    )


async def of_agent(services: Services, agent_id: UUID, team_id: UUID, name: str) -> Appearance:
    """Of an agent that stays."""
    page, is_open = services.options.page_url, _is_open(services)
    return Appearance(
        title=name if is_open else f"agent {_short(agent_id)}",
        details=f"- an agent that stays: {link(page, 'agents', agent_id)}",
        labels=await _labels(services, team_id, CONVERSATION, name),
        page=page,
    )


async def of_schedule(
    services: Services, schedule_id: UUID, team_id: UUID, name: str
) -> Appearance:
    """Of the runs of a schedule."""
    page, is_open = services.options.page_url, _is_open(services)
    return Appearance(
        title=name if is_open else f"schedule {_short(schedule_id)}",
        details=f"- a run of the schedule {link(page, 'schedules', schedule_id)}",
        labels=await _labels(services, team_id, SCHEDULE, name),
        page=page,
    )


def _is_open(services: Services) -> bool:
    return services.options.titles == "prompt"


async def _labels(services: Services, team_id: UUID, type_: str, name: str) -> Labels:
    if not _is_open(services) or services.codec is not None:
        return Labels(str(team_id), type_)
    return Labels(await _team_name(services, team_id), type_, name)


async def _team_name(services: Services, team_id: UUID) -> str:
    """Nobody can rename a team."""
    names = services.team_names
    if team_id not in names and len(names) < _TEAMS_REMEMBERED:
        names[team_id] = await team_name(services.database, team_id) or str(team_id)
    return names.get(team_id, str(team_id))


def _origin(page: str, task: ShownTask, *, is_open: bool) -> str:
    if task.schedule_id is not None:
        return f"schedule {link(page, 'schedules', task.schedule_id)}"
    if task.agent_id is not None:
        return f"agent {link(page, 'agents', task.agent_id)}"
    if task.parent_id is not None:
        return f"plan {link(page, 'tasks', task.parent_id)}"
    return code(task.created_by) if is_open and task.created_by else ""


def _parts(task: ShownTask) -> tuple[str, ...]:
    """The steps of a pipeline, by their ids."""
    steps = task.definition.get("steps")
    if not isinstance(steps, list):
        return ()
    return tuple(str(step["id"]) for step in steps if isinstance(step, dict) and "id" in step)


def _short(of: UUID) -> str:
    return str(of)[:8]
