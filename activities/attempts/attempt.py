"""The life of one attempt at a step: begun, reported while it runs, ended in one transaction."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.exceptions import ApplicationError

from activities.attempts.heartbeat import FAREWELL_SECONDS, heartbeating, was_stopped
from activities.attempts.holding import Held
from activities.attempts.losses import Losses, Repeat
from activities.attempts.reporter import Reporter, reporting
from activities.attempts.unforeseen import foreseen
from activities.attempts.withdrawal import take_back
from activities.limits.slots import Slots
from activities.metrics.steps import Counted
from activities.patience import patiently
from activities.skills.telling import telling
from activities.store import attempts
from activities.store.approvals import Approval
from activities.store.attempts import (
    Attempt,
    Begun,
    Ended,
    StoredFile,
    ToolMessage,
    artifact_id,
)
from activities.store.database import Database
from workflows import policies
from workflows.contracts import MOST_FILES_NAMED, RETRIES_USED_UP, Failure
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.events import (
    STEP_FAILURES,
    ArtifactCreated,
    AttemptEnded,
    Event,
    StepCancelled,
    StepCompleted,
    StepRetrying,
)
from workflows.pipeline_contracts import StepOutcome
from workflows.states import Status

DETAIL_CHARACTERS = 2_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Performed:
    """What a step did. ``error`` is set when it failed; its files are kept all the same.

    With a ``message``, the model has read of the failure, so the activity does not fail.
    ``events`` tell what only the tool knows. With an ``approval`` it has come to a question, for
    whose answer the step waits. ``cached``: an equal step has done it before. ``answered_by`` is
    the tool that was called in place of its own.
    """

    exit_code: int | None = 0
    files: tuple[StoredFile, ...] = ()
    refused: tuple[str, ...] = ()
    error: AgentOSError | None = None
    message: ToolMessage | None = None
    events: tuple[Event, ...] = ()
    approval: Approval | None = None
    cached: bool = False
    answered_by: str = ""


Perform = Callable[[Begun, Reporter], Awaitable[Performed]]
RepeatOf = Callable[[Begun], Awaitable[Repeat]]


async def _free(begun: Begun) -> Repeat:
    return Repeat.FREE


async def run_attempt(
    database: Database,
    attempt: Attempt,
    perform: Perform,
    repeat_of: RepeatOf = _free,
    slots: Slots | None = None,
    *,
    counted: Counted | None = None,
    names_files: bool = False,
) -> StepOutcome:
    """Run ``perform`` as the attempt that this activity is, unless one has succeeded already, or
    there is none of the ``slots`` for it: it does not begin then, and so cannot be lost.

    ``repeat_of`` says what it costs to repeat an attempt that was lost with its worker. The outcome
    has the names of files where ``names_files``: Temporal keeps it.

    Raises:
        ApplicationError: its type is the code of the ``AgentOSError`` behind it.
    """
    with structlog.contextvars.bound_contextvars(
        task_id=str(attempt.task_id), attempt=attempt.number
    ):
        async with heartbeating(), as_application_error():
            try:
                async with slots.for_attempt(attempt) if slots else nullcontext():
                    outcome = await _begin_and_run(database, attempt, perform, repeat_of, counted)
                    return outcome if names_files else outcome.model_copy(update={"made": ()})
            except Held as held:
                return await take_back(database, attempt, held)


async def _begin_and_run(
    database: Database,
    attempt: Attempt,
    perform: Perform,
    repeat_of: RepeatOf,
    counted: Counted | None,
) -> StepOutcome:
    begun = await patiently(lambda: attempts.begin(database, attempt))
    if begun.outcome is not None:
        return begun.outcome
    losses = Losses(attempt, begun, await repeat_of(begun))
    with (
        structlog.contextvars.bound_contextvars(step=begun.name),
        counted.running() if counted else nullcontext(),
    ):
        return await _Running(database, attempt, begun, losses, counted).run(perform)


@asynccontextmanager
async def as_application_error() -> AsyncIterator[None]:
    """Convert what fails to ``ApplicationError``, with whether and when to try again.

    Its message is for the worker's log: workflow history gets the code (``workflows.failures``).
    """
    try:
        with foreseen():
            yield
    except AgentOSError as error:
        delay = error.retry_after_seconds
        raise ApplicationError(
            str(error),
            *([RETRIES_USED_UP] if error.retryable and error.retries_used_up else []),
            type=error.code,
            non_retryable=not error.retryable or error.retries_used_up,
            next_retry_delay=None if delay is None else timedelta(seconds=delay),
        ) from None


class _Running:
    def __init__(
        self,
        database: Database,
        attempt: Attempt,
        begun: Begun,
        losses: Losses,
        counted: Counted | None,
    ) -> None:
        self._database = database
        self._attempt = attempt
        self._begun = begun
        self._losses = losses
        self._counted = counted
        self._step = begun.name
        self._started = time.monotonic()

    async def run(self, perform: Perform) -> StepOutcome:
        async with reporting(self._database, self._attempt, self._step) as reporter:
            try:
                with foreseen(), telling(reporter.say):
                    self._losses.check()
                    performed = await perform(self._begun, reporter)
            except Held:
                raise
            except asyncio.CancelledError:
                await self._say_farewell(reporter)
                raise
            except AgentOSError as error:
                performed = Performed(exit_code=None, error=error)
        if performed.error is not None:
            self._losses.judge(performed.error)
        ended = self._ended(performed, reporter)
        counts = await self._write(ended)
        self._tell(ended)
        if performed.error is not None and performed.message is None:
            raise performed.error
        return StepOutcome(
            exit_code=performed.exit_code or 0,
            files=len(performed.files),
            made=tuple(file.name for file in performed.files[:MOST_FILES_NAMED]),
            closed=counts and self._attempt.is_last,
        )

    async def _write(self, ended: Ended) -> bool:
        """Write the end. Gives whether it counts.

        A cancellation meanwhile comes too late for what is in the row already: Temporal is to hear
        the same of the attempt as people.
        """
        writing = asyncio.ensure_future(
            patiently(lambda: attempts.end(self._database, self._attempt, ended))
        )
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing], timeout=FAREWELL_SECONDS)
            has_failed = ended.failure is not None and not was_stopped()
            if has_failed or not writing.done() or writing.exception() is not None:
                writing.cancel()
                raise
            return writing.result()

    async def _say_farewell(self, reporter: Reporter) -> None:
        """Record that the attempt was cancelled; when the worker stops, what follows."""
        error = self._losses.one_more() if was_stopped() else None
        ended = self._ended(Performed(exit_code=None, error=error), reporter, cancelled=True)
        with suppress(TemporaryFailure, TimeoutError):
            await asyncio.wait_for(
                attempts.end(self._database, self._attempt, ended), FAREWELL_SECONDS
            )
        self._tell(ended)
        if error is not None:
            raise error

    def _ended(self, performed: Performed, reporter: Reporter, *, cancelled: bool = False) -> Ended:
        error = performed.error
        status = Status.CANCELLED if cancelled else Status.COMPLETED
        if performed.approval is not None:
            status = Status.WAITING
        next_attempt_at = None
        if error is not None:
            next_attempt_at = None if performed.message else self._next_attempt_at(error)
            is_exhausted = error.retryable and performed.message is None
            ended_as = Status.BLOCKED if is_exhausted else Status.FAILED
            status = Status.QUEUED if next_attempt_at else ended_as
        failure = self._failure(error, reporter) if error is not None else None
        duration_ms = round((time.monotonic() - self._started) * 1_000)
        return Ended(
            status=status,
            duration_ms=duration_ms,
            exit_code=performed.exit_code,
            stdout=reporter.stdout_text,
            stderr=reporter.stderr_text,
            files=performed.files,
            refused=performed.refused,
            failure=failure,
            next_attempt_at=next_attempt_at,
            message=performed.message,
            events=(
                *reporter.drain(),
                *(self._artifact_event(file) for file in performed.files),
                *performed.events,
                *self._end_events(status, duration_ms, performed, failure, next_attempt_at),
            ),
            approval=performed.approval,
            cached=performed.cached,
            answered_by=performed.answered_by,
            skill=reporter.skill,
        )

    def _failure(self, error: AgentOSError, reporter: Reporter) -> Failure:
        printed = reporter.stderr_text.strip() or reporter.stdout_text.strip()
        return Failure(
            code=error.code,
            message=error.account[:4_096],
            detail=printed[-DETAIL_CHARACTERS:] or None,
            step=self._step,
            attempts=self._attempt.number,
        )

    def _next_attempt_at(self, error: AgentOSError) -> datetime | None:
        """When Temporal will start the next attempt."""
        if not error.retryable or error.retries_used_up:
            return None
        pause = policies.step_pause(self._attempt.number_for_temporal, error.retry_after_seconds)
        return datetime.now(UTC) + pause

    def _artifact_event(self, file: StoredFile) -> ArtifactCreated:
        key = artifact_id(self._attempt.sub_task_id, file.name, file.sha256)
        return ArtifactCreated(
            step=self._step,
            id=str(key),
            name=file.name,
            size=file.size,
            mime_type=file.mime_type,
            url=f"/api/v1/artifacts/{key}",
        )

    def _end_events(
        self,
        status: Status,
        duration_ms: int,
        performed: Performed,
        failure: Failure | None,
        next_attempt_at: datetime | None,
    ) -> Iterator[AttemptEnded]:
        shared = dict(
            AttemptEnded(step=self._step, attempt=self._attempt.number, duration_ms=duration_ms)
        )
        if status is Status.WAITING:
            return  # The question is an event of its own.
        if status is Status.COMPLETED:
            exit_code, files = performed.exit_code, len(performed.files)
            yield StepCompleted(
                **shared,
                exit_code=exit_code,
                files=files,
                refused=performed.refused,
                cached=performed.cached or None,
            )
        elif failure is None:
            yield StepCancelled(**shared)
        elif next_attempt_at is not None:
            yield StepRetrying(**shared, error=failure, next_attempt_at=next_attempt_at)
        else:
            yield STEP_FAILURES[status](**shared, error=failure)

    def _tell(self, ended: Ended) -> None:
        if self._counted is not None:
            self._counted.ended(ended.status, ended.duration_ms)
        log.info(
            "step.ended",
            status=ended.status.value,
            duration_ms=ended.duration_ms,
            exit_code=ended.exit_code,
            files=len(ended.files),
            refused=len(ended.refused),
            cached=ended.cached,
            error=ended.failure.code if ended.failure else None,
        )
