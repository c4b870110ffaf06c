"""Writing what an attempt at a step does. Each function is one transaction, and safe to repeat.

An attempt that was given up for lost may come back late, when the next one is under way: every
write is fenced by the run of the task and the number of the attempt, and then changes nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from activities.store import events
from activities.store.approvals import Approval
from activities.store.attempt_statements import (
    BEGIN_ATTEMPT,
    END_ATTEMPT,
    HOLD_ATTEMPT,
    OUTLINE,
    TAKE_OVER,
    TELL_OF_ATTEMPT,
)
from activities.store.database import Database
from workflows.contracts import WORKER_LOST, Failure
from workflows.errors.tasks import TaskMoved
from workflows.events import Event
from workflows.pipeline_contracts import StepOutcome
from workflows.states import Phase, Status


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a sub-task. ``number`` counts from 1 within a run. ``retries`` may follow one
    that fails, beside those that follow one that was lost with its worker. ``begun_in`` is the
    Temporal run id, which a reset changes; ``execution`` is the same where a reset must make
    earlier ones void. The success of one that ``is_last`` completes the task. ``before`` it were
    those that had a question, and ``tried`` before the work was held: Temporal counts anew then.
    """

    task_id: UUID
    sub_task_id: UUID
    run: int
    number: int
    retries: int
    worker_id: str
    execution: str | None = None
    is_last: bool = False
    begun_in: str | None = None
    before: int = 0
    tried: int = 0

    @property
    def number_for_temporal(self) -> int:
        return self.number - self.before - self.tried

    @property
    def log_id(self) -> UUID:
        return uuid5(self.sub_task_id, f"run {self.run} attempt {self.number}")


@dataclass(frozen=True, slots=True)
class Begun:
    """What an attempt works with: the sub-task's name and definition, the task's inputs, and the
    skills and tools to which an agent is limited.

    ``outcome`` is set when the sub-task has succeeded already. Of the attempts before this one in
    its run, ``failures`` failed on their own, and of ``lost`` nobody knows how far they have come;
    these may also be from before Temporal reset the workflow. ``cache``: the task lets its steps
    take the results of equal ones. ``item`` is what an item of a step is, and ``index`` its number.
    """

    team_id: UUID
    name: str
    definition: dict[str, Any]
    inputs: dict[str, str]
    outcome: StepOutcome | None
    skills: tuple[str, ...] | None = None
    tools: tuple[str, ...] | None = None
    approval: dict[str, Any] | None = None
    cache: bool = True
    lost: int = 0
    failures: int = 0
    item: dict[str, Any] | None = None
    index: int | None = None

    @property
    def was_lost(self) -> bool:
        return self.lost > 0


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a sub-task before it begins; ``tool`` is the one that it calls, if any."""

    team_id: UUID
    tool: str | None
    is_completed: bool


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """What a model reads of a tool call's result; it is message ``seq`` of the task."""

    seq: int
    turn: int
    request_id: str
    content: str
    is_protected: bool = False


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that a step made, in the S3 store."""

    name: str
    size: int
    mime_type: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SkillUse:
    """The skill that an attempt ran: what its SKILL.md calls its version, and its content."""

    name: str
    version: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended. ``files`` replace those of earlier attempts at the same step; with an
    ``approval``, a question was found, and the step waits for its answer. ``cached``: the result is
    that of an equal step. ``answered_by`` is the tool that was called in place of the step's own.
    """

    status: Status
    duration_ms: int
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    files: tuple[StoredFile, ...] = ()
    refused: tuple[str, ...] = ()
    failure: Failure | None = None
    next_attempt_at: datetime | None = None
    events: tuple[Event, ...] = ()
    message: ToolMessage | None = None
    approval: Approval | None = None
    cached: bool = False
    answered_by: str = ""
    skill: SkillUse | None = None


def artifact_id(sub_task_id: UUID, name: str, sha256: str) -> UUID:
    """Derived from what it names, so that a repeat gives the same id and the same URL."""
    return uuid5(sub_task_id, f"{name}\n{sha256}")


async def begin(database: Database, attempt: Attempt) -> Begun:
    """Set sub-task and task running, unless the sub-task has succeeded already.

    It is the first thing that a run does which Temporal reset to the middle of a turn; such a run
    takes the task over.

    Raises:
        TaskMoved: the task has ended or was started again meanwhile.
    """
    values = {
        **_fence(attempt),
        "log_id": attempt.log_id,
        "worker_id": attempt.worker_id,
        "lost": _LOST,
        "begun_in": attempt.begun_in,
    }
    rows = await database.execute(BEGIN_ATTEMPT, values)
    if not rows and attempt.execution is not None:
        await database.execute(TAKE_OVER, values)
    # Again: what an earlier attempt wrote while the first waited for it, the second sees.
    rows = rows or await database.execute(BEGIN_ATTEMPT, values)
    if not rows:
        raise TaskMoved(task_id=attempt.task_id)
    [row] = rows
    outcome = row.output_result and StepOutcome(
        exit_code=row.output_result["exit_code"] or 0, files=row.files, closed=row.closed
    )
    return Begun(
        team_id=row.team_id,
        name=row.name,
        definition=row.definition,
        inputs=row.inputs,
        outcome=outcome,
        skills=None if row.skills is None else tuple(row.skills),
        tools=None if row.tools is None else tuple(row.tools),
        approval=row.approval,
        cache=row.cache,
        lost=row.lost,
        failures=row.failures,
        item=row.item,
        index=row.item_index,
    )


async def set_phase(
    database: Database, attempt: Attempt, phase: Phase | None, new: Sequence[Event]
) -> None:
    """Tell where the attempt is, unless ``phase`` is None, and what it printed since."""
    values = {**_fence(attempt), **events.values(new), "phase": phase}
    await database.execute(TELL_OF_ATTEMPT, values)


async def hold(database: Database, attempt: Attempt, waits_for: str, until: datetime) -> None:
    """Take back an attempt, begun or not, that cannot be made now; the sub-task is queued."""
    values = {
        **_fence(attempt),
        "log_id": attempt.log_id,
        "begun_in": attempt.begun_in,
        "waits_for": waits_for,
        "next_attempt_at": until,
    }
    await database.execute(HOLD_ATTEMPT, values)


async def outline(database: Database, sub_task_id: UUID) -> Outline | None:
    """None where there is no such sub-task any more."""
    rows = await database.execute(OUTLINE, {"sub_task_id": sub_task_id})
    return next((Outline(row.team_id, row.tool, row.is_completed) for row in rows), None)


async def end(database: Database, attempt: Attempt, ended: Ended) -> bool:
    """Write an attempt's end, with its files and events. False when it no longer counts.

    The task is completed with the success of its last step, in the same transaction.
    """
    output = {
        "exit_code": ended.exit_code,
        "refused": list(ended.refused),
        **({"answered_by": ended.answered_by} if ended.answered_by else {}),
    }
    values = {
        **_fence(attempt),
        **events.values(ended.events),
        "log_id": attempt.log_id,
        "status": ended.status,
        "is_final": ended.status.is_final,
        "closes": attempt.is_last and ended.status is Status.COMPLETED,
        # Whether another one follows or not, an attempt that did not succeed has failed.
        "log_status": Status.FAILED if ended.status in _RETRYABLE else ended.status,
        "output": json.dumps(output),
        "error": ended.failure and ended.failure.model_dump_json(exclude_none=True),
        "next_attempt_at": ended.next_attempt_at,
        "exit_code": ended.exit_code,
        "cached": ended.cached,
        "skill": ended.skill and events.as_json(asdict(ended.skill)),
        "duration_ms": ended.duration_ms,
        "stdout": ended.stdout,
        "stderr": ended.stderr,
        "files": json.dumps([_file_row(attempt.sub_task_id, file) for file in ended.files]),
        "messages": _messages(attempt, ended.message),
        "approval": ended.approval
        and events.as_json(ended.approval.model_dump(mode="json", exclude_none=True)),
    }
    return bool(await database.execute(END_ATTEMPT, values))


# How a step stands after an attempt that deserves another.
_RETRYABLE = (Status.QUEUED, Status.BLOCKED)


def _fence(attempt: Attempt) -> dict[str, Any]:
    return {
        "task_id": attempt.task_id,
        "sub_task_id": attempt.sub_task_id,
        "run": attempt.run,
        "execution": attempt.execution,
        "number": attempt.number,
    }


def _messages(attempt: Attempt, message: ToolMessage | None) -> str:
    """A JSON array of none or one, which a statement can join."""
    if message is None:
        return "[]"
    return events.as_json([{**asdict(message), "execution": attempt.execution}])


def _file_row(sub_task_id: UUID, file: StoredFile) -> dict[str, Any]:
    return {
        "id": str(artifact_id(sub_task_id, file.name, file.sha256)),
        "name": file.name,
        "size": file.size,
        "mime_type": file.mime_type,
        "sha256": file.sha256,
    }


# What is still "running" when the next attempt begins was left behind by a worker that died.
_LOST = Failure(code=WORKER_LOST, message="The worker died during this attempt.").model_dump_json(
    exclude_none=True
)
