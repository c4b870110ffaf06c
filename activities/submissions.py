"""From what is asked of a task to the task: judged whole, and made ready to be written down.

Whoever asks, a person over HTTP or a schedule, it is judged by the same rules.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from activities.kinds.base import Installed, Kind
from activities.kinds.errors import TaskRefused
from activities.kinds.table import KINDS
from activities.store.tasks import NewCallback, NewTask
from workflows.addresses import origin_of
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import RefusedSince


@dataclass(frozen=True, slots=True)
class Submission:
    """What is asked for, as the kind of task that it is understands it. It may still be wrong.

    ``was_accepted`` of what is asked for once more, such as by a schedule.
    """

    request: TaskRequest
    kind: Kind[Any]
    definition: BaseModel
    was_accepted: bool = False

    async def check(self, installed: Installed, team_id: UUID) -> None:
        """Ask the installed parts, and the inputs, what is wrong with it.

        Raises:
            TaskRefused: with everything that is wrong.
            TemporaryFailure: who must be asked cannot be reached.
        """
        inputs = self.request.inputs
        problems = await self.kind.problems(installed, team_id, self.definition, inputs)
        if self.was_accepted:
            problems = [each for each in problems if not isinstance(each, RefusedSince)]
        if problems:
            raise TaskRefused(problems)

    def task(self, task_id: UUID, team_id: UUID) -> NewTask:
        """The task, not yet written down."""
        definition, request = self.definition, self.request
        return NewTask(
            id=task_id,
            team_id=team_id,
            type=self.kind.task_type,
            name=self.kind.name(request.prompt, definition),
            definition=definition.model_dump(mode="json", exclude_defaults=True),
            sub_tasks=self.kind.sub_tasks(task_id, definition),
            inputs=request.inputs,
            prompt=request.prompt,
            priority=request.priority,
            cache=request.cache,
            callbacks=[
                NewCallback(each.url, origin_of(each.url) or "", each.events)
                for each in request.callbacks
            ],
        )


def submission_of(request: TaskRequest, *, was_accepted: bool = False) -> Submission:
    """Raises ``TaskRefused`` when the request itself says that it is wrong."""
    kind = KINDS[request.asked_type]
    return Submission(request, kind, kind.define(request), was_accepted)
