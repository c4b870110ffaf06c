"""The messages between the API, the workflows and the activities: frozen, small, ids and numbers.

They end up in workflow history, so none may hold a file's content, a script's output, a secret or
a definition: those are kept in PostgreSQL and S3 and read by id.
"""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from workflows.states import Status

TASK_QUEUE = "agentos"


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)


# The code of what failed because its worker died, or was given up for lost.
WORKER_LOST = "worker-lost"

# The code of a node's task that was cut off because its plan had ended.
PLAN_ENDED = "plan-ended"

# A detail of what an activity raises: the failure is one to retry, and was retried as often as it
# may be. Temporal cannot know, as it counts attempts that were lost with their worker, too.
RETRIES_USED_UP = "retries-used-up"


# Of the files that a piece of work made, Temporal is told so many names, where it may have them.
MOST_FILES_NAMED = 20


class Failure(Message):
    """Why something ended badly. ``code`` is stable; ``message`` is for people. ``others`` is how
    many more steps and items of the same task failed beside this one, which was the first.

    ``detail`` may quote what a script printed: it is kept in rows, never in workflow history.
    """

    code: str
    message: str = Field(max_length=4_096)
    detail: str | None = Field(default=None, max_length=4_096)
    step: str | None = None
    attempts: int | None = None
    others: int | None = None


class TaskRun(Message):
    """The input of a task's workflow. ``run`` counts from 1; a retry by a person is the next run.

    ``paused``: the run starts paused, as when it continued as new while paused. ``agent_id`` is the
    agent that stays, where the task is an exchange of one.
    """

    task_id: UUID
    team_id: UUID
    run: int
    paused: bool = False
    agent_id: UUID | None = None


class Hold(Message):
    """A piece of work cannot run now, through no fault of its own: it is asked for again in
    ``seconds``, or as soon as the workflow is told that it may be. That is no attempt at it, of
    which there were ``tried`` before."""

    seconds: float
    tried: int = 0


class TaskMark(Message):
    """A change of a living task's state that the workflow decided on."""

    task_id: UUID
    team_id: UUID
    run: int
    status: Status


class TaskClose(Message):
    """The end of a run. ``sub_task_id`` is the step that ended it, if one did. ``agent_id``: as in
    ``TaskRun``."""

    task_id: UUID
    team_id: UUID
    run: int
    status: Status
    failure: Failure | None = None
    sub_task_id: UUID | None = None
    agent_id: UUID | None = None


class RunStart(Message):
    """The workflow that goes on with a task, and its input."""

    workflow: str
    input: dict[str, JsonValue]


def workflow_id(task_id: UUID) -> str:
    """``task-<task id>``, so that ``temporal workflow cancel -w task-<id>`` works."""
    return f"task-{task_id}"


def task_id_of(workflow: str) -> UUID | None:
    """The task whose workflow has this id; None when it is somebody else's."""
    try:
        return UUID(workflow.removeprefix("task-"))
    except ValueError:
        return None
