"""The life of a task's run, from its start through pauses to its end, for all types of tasks.

A workflow is a ``TaskWorkflow``; it does its own work within ``lifecycle.running()``, and nothing
else.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NoReturn, Protocol, TypedDict, TypeVar
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    RetryState,
    is_cancelled_exception,
)

from workflows import policies, ports
from workflows.contracts import (
    MOST_FILES_NAMED,
    Failure,
    Hold,
    Message,
    RunStart,
    TaskClose,
    TaskMark,
    TaskRun,
    task_id_of,
)
from workflows.details import page_of_workflow
from workflows.endings import failure_of, status_after
from workflows.errors import AgentOSError
from workflows.errors.agents import TimeUsedUp
from workflows.labels import HELD, StateLabel, labels_as
from workflows.plan_contracts import NodeNote
from workflows.states import Status
from workflows.working_time import WorkingTime

# Shorter ones cost two events each, and are over before anybody looks.
_SHOWN_HOLD_SECONDS = 10.0

# The signal by which a node tells its plan of a change.
NOTE_NODE = "note_node"

# The signal by which a run is told that what was held may be tried again.
TRY_AGAIN = "try_again"

# Runs from before these changes went on after a cancellation that met the end of an activity, and
# were cancelled although their row had just said how they ended.
_HEEDS_CANCELLATION = "a-late-cancellation-is-heeded"
_ENDS_AS_WRITTEN = "a-run-ends-as-its-row-says"
# Later than the first, and asked earlier in a run. Temporal remembers what a replay was answered: a
# run that began before would ask for the first in vain for the rest of its time.
HEEDS_WHILE_MARKING = "a-cancellation-is-heeded-as-a-state-is-written"


class MadeForReaders(TypedDict):
    files: tuple[str, ...]
    page: str


class _Holdable(Protocol):
    @property
    def held(self) -> Hold | None: ...


Outcome = TypeVar("Outcome", bound=_Holdable)


class Lifecycle:
    """Keeps the task's row in sync with its run, and ends both together.

    The workflow records where it is: ``step`` names the running part for people, ``sub_task_id``
    is its row, if it has one. The workflow sets ``is_closed`` when its last activity has already
    closed the task, and ``is_cut`` when what it does is to be cut short without failing.

    ``carry`` makes the input of a run that continues as new, where that is more than the task's.
    """

    def __init__(
        self,
        run: TaskRun,
        working_time: WorkingTime,
        *,
        carry: Callable[[TaskRun], Message] | None = None,
    ) -> None:
        self.working_time = working_time
        self.paused = run.paused
        self.is_closed = False
        self.is_cut = False
        self.told_to_try = 0
        self.step = ""
        self.sub_task_id: UUID | None = None
        self._run = run
        self._carry = carry
        self._told = Status.RUNNING
        self._files: tuple[str, ...] = ()
        self._label = StateLabel()
        self._state, self._doing = str(Status.RUNNING), ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The run itself. However the block ends, the task's row records it.

        Raises:
            ApplicationError: the run failed; its type is the code in the row.
        """
        try:
            if not self.paused:
                self._show(Status.RUNNING)  # An earlier run may have ended while it was held.
            async with self._within_time():
                yield
        # A local activity that fails for good raises what it failed of, and no ActivityError.
        except (AgentOSError, ActivityError, ApplicationError, asyncio.CancelledError) as error:
            cause = asyncio.CancelledError() if _was_cut_off(error) else error
            if await self._close_badly(cause) is Status.COMPLETED:
                # The last activity had written that before it was cancelled, or lost.
                self._show_completed()
                return
            raise cause from error.__cause__
        if not self.is_closed:
            await self._close(Status.COMPLETED)
        self._show_completed()

    def heed_cancellation(self, since: str = _HEEDS_CANCELLATION) -> None:
        """Raise what was asked of the run while its last activity ended in spite of it.

        Temporal's SDK gives the result of such an activity, and tells of the cancellation no more.
        ``since`` is the change with which this is done at the place that asks.

        Raises:
            asyncio.CancelledError: the workflow was cancelled, or its work is to be cut short.
            TimeoutError: its working time is used up.
        """
        if self.is_cut:
            raise asyncio.CancelledError
        is_cancelled = workflow.cancellation_reason() is not None
        if (is_cancelled or self.working_time.is_used_up) and workflow.patched(since):
            raise asyncio.CancelledError if is_cancelled else TimeoutError

    async def wait_while_paused(self) -> None:
        """Wait between two parts of the work while the task is paused."""
        while self.paused:
            await self.wait_until_resumed()

    async def wait_until_resumed(self) -> None:
        """Wait out one pause. Another may be asked for while the row is set to running again."""
        self.step, self.sub_task_id = "", None
        self.working_time.halt()
        await self.mark(Status.PAUSED)
        # One that comes just as that is written would not be heard of any more.
        self.heed_cancellation(HEEDS_WHILE_MARKING)
        await workflow.wait_condition(lambda: not self.paused)
        self.working_time.go_on()
        await self.mark(Status.RUNNING)

    async def unheld(
        self,
        work: Callable[[int], Awaitable[Outcome]],
        rest: Callable[[Hold, int], Awaitable[None]],
        tried: int = 0,
    ) -> Outcome:
        """The outcome of ``work`` once it is not held any more. It is given how often it was tried
        before; while it is held, ``rest`` waits. ``tried`` are attempts that count already."""
        while True:
            told = self.told_to_try
            outcome = await work(tried)
            if outcome.held is None:
                return outcome
            await rest(outcome.held, told)
            # One that comes just as the wait is over would not be heard of any more.
            self.heed_cancellation()
            tried = outcome.held.tried

    def tell(self, doing: str) -> None:
        """What the run is at, in Markdown, for whoever looks at it in Temporal: no event tells."""
        self._doing = doing
        self._tell(self._state)

    def note_files(self, names: Sequence[str]) -> None:
        """Files that were made, for the result as Temporal shows it."""
        new = [name for name in names if name not in self._files]
        self._files = (*self._files, *new)[-MOST_FILES_NAMED:]

    @property
    def made_for_readers(self) -> MadeForReaders:
        """What the result of the workflow has beside ids and numbers."""
        page = page_of_workflow()
        where = f"{page}/tasks/{self._run.task_id}" if page else ""
        return MadeForReaders(files=self._files, page=where)

    def show_held(self, hold: Hold) -> None:
        """Work waits for a place, a breaker or a model."""
        if hold.seconds >= _SHOWN_HOLD_SECONDS:
            self._show(HELD)

    def show_held_no_more(self) -> None:
        if self._state == HELD:
            self._show(Status.RUNNING)

    def _show_completed(self) -> None:
        # After an exchange its agent goes on.
        self._show(Status.COMPLETED if self._carry is None else Status.RUNNING)

    def _show(self, state: str) -> None:
        self._state = state
        self._label.show(state)
        self._tell(state)

    def _tell(self, state: str) -> None:
        doing = f": {self._doing}" if self._doing else ""
        workflow.set_current_details(f"**{state}**{doing}")

    async def rest(self, hold: Hold, told: int, following: Callable[[], TaskRun]) -> None:
        """Wait between two parts of the work, and stop the clock. A pause may come meanwhile. What
        is held for days must not fill the history: the run then continues as ``following``."""
        self.working_time.halt()
        self.show_held(hold)
        await self.wait_while_held(hold, told, or_until=lambda: self.paused)
        await self.wait_while_paused()
        if workflow.info().is_continue_as_new_suggested():
            self.continue_as_new(following())
        self._show(Status.RUNNING)
        self.working_time.go_on()

    async def wait_while_held(self, hold: Hold, told: int, *, or_until: Callable[[], bool]) -> None:
        """Wait until a piece of work that was held may be tried again. ``told`` is what
        ``told_to_try`` was before it was tried: word may come before the hold itself does."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self.told_to_try != told or or_until(),
                timeout=hold.seconds,
                timeout_summary="held",
            )

    async def mark(self, status: Status) -> None:
        """Set the state of the living task."""
        await workflow.execute_local_activity_method(
            ports.Tasks.mark_task,
            TaskMark(
                task_id=self._run.task_id,
                team_id=self._run.team_id,
                run=self._run.run,
                status=status,
            ),
            summary=f"set status: {status}",
            **policies.RECORD,
        )
        await self.tell_plan(status)

    async def tell_plan(self, status: Status) -> None:
        """Tell the plan whose node the task is, where it is one, in which state it is now, and
        whoever looks at it in Temporal."""
        self._show(status)
        plan = plan_of()
        if plan is None or status is self._told:
            return
        self._told = status
        try:
            await workflow.get_external_workflow_handle(plan).signal(
                NOTE_NODE, NodeNote(task_id=self._run.task_id, status=status)
            )
        except ApplicationError:
            workflow.logger.info("plan.ended_before_it_was_told")

    def continue_as_new(self, run: TaskRun) -> NoReturn:
        """Continue as ``run`` in a new history. Only between two parts of the work."""
        # Temporal does not carry the title of a run over to the next one, not even on request.
        following = run.model_copy(update={"paused": self.paused})
        workflow.continue_as_new(following if self._carry is None else self._carry(following))

    def go_on_as(self, start: RunStart) -> NoReturn:
        """Continue the same task as another workflow. Only between two parts of the work."""
        # The id, the memo, the priority and the time limit of the execution are carried over.
        given = {**start.input, "paused": self.paused}
        labels = labels_as(start.workflow)
        workflow.continue_as_new(args=[given], workflow=start.workflow, search_attributes=labels)

    @asynccontextmanager
    async def _within_time(self) -> AsyncIterator[None]:
        try:
            async with self.working_time:
                yield
        except (TimeoutError, ActivityError):
            # An activity that the deadline cancels ends in an error of its own.
            if not self.working_time.is_used_up:
                raise
            raise TimeUsedUp(limit=self.working_time.limit_seconds) from None

    async def _close_badly(self, error: BaseException) -> Status | None:
        """Gives the state of the row, as ``_close`` does, where the run is not to fail."""
        if is_cancelled_exception(error):
            closed = await self._close(Status.CANCELLED)
            if closed is not Status.COMPLETED:
                self._show(Status.CANCELLED)
            return closed
        if isinstance(error, (ActivityError, ApplicationError)):
            status, failure = status_after(error), failure_of(error, self.step)
        else:
            assert isinstance(error, AgentOSError)
            status, failure = Status.FAILED, Failure(code=error.code, message=str(error))
        if await self._close(status, failure) is Status.COMPLETED:
            return Status.COMPLETED
        self._show(status)
        # An activity's error carries ids; the reader of the Temporal Web UI wants the code.
        raise ApplicationError(failure.message, type=failure.code, non_retryable=True) from error

    async def _close(self, status: Status, failure: Failure | None = None) -> Status | None:
        """Gives the state in which the run's row is now; None where an older worker wrote it."""
        close = TaskClose(
            task_id=self._run.task_id,
            team_id=self._run.team_id,
            run=self._run.run,
            status=status,
            failure=failure,
            sub_task_id=self.sub_task_id,
            agent_id=self._run.agent_id,
        )
        closing = asyncio.ensure_future(
            workflow.execute_local_activity_method(
                ports.Tasks.close_task, close, summary=f"end: {status}", **policies.RECORD
            )
        )
        try:
            # A cancellation that arrives now is too late, and must not leave the row open.
            return await asyncio.shield(closing)
        except asyncio.CancelledError:
            if not workflow.patched(_ENDS_AS_WRITTEN):
                raise
        return await closing


class TaskWorkflow:
    """Base of the workflows of all task types, with the signals that they share."""

    def __init__(self, run: TaskRun, working_time: WorkingTime | None = None) -> None:
        self.lifecycle = Lifecycle(run, working_time or WorkingTime())

    @workflow.signal
    def pause(self) -> None:
        """Pause before the next part of the work. The running part finishes first."""
        self.lifecycle.paused = True

    @workflow.signal
    def resume(self) -> None:
        self.lifecycle.paused = False

    @workflow.signal(name=TRY_AGAIN)
    def try_again(self) -> None:
        """What is held may be tried again, before its time."""
        self.lifecycle.told_to_try += 1


def plan_of() -> str | None:
    """The id of the workflow of the plan whose node this one runs; None when it runs no node. What
    runs a task for a schedule is its parent, too, but no plan."""
    parent = workflow.info().parent
    if parent is None or task_id_of(parent.workflow_id) is None:
        return None
    return parent.workflow_id


def _was_cut_off(error: BaseException) -> bool:
    """Whether an attempt failed in a way that another would have mended, but for a cancellation."""
    return (
        isinstance(error, ActivityError)
        and error.retry_state is RetryState.CANCEL_REQUESTED
        and workflow.patched(_HEEDS_CANCELLATION)
    )
