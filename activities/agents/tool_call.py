"""A tool call of an agent: allowed, made, and its result written for the model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from temporalio import activity

from activities.agents.elicitations import (
    Unreadable,
    approval_of,
    asked_again,
    may_ask,
    replies_so_far,
)
from activities.agents.observations import (
    Shown,
    changed,
    denied,
    edited,
    expired,
    interrupted,
    observation,
    shorten,
)
from activities.agents.turn_events import question_event, result_event
from activities.attempts.artifacts import publish_output
from activities.attempts.attempt import Performed, run_attempt
from activities.attempts.heartbeat import heartbeating
from activities.attempts.losses import UNCLEAR
from activities.attempts.reporter import Reporter
from activities.attempts.scratch import Workplace
from activities.attempts.unforeseen import foreseen
from activities.equipment import Equipment
from activities.metrics.steps import Counted
from activities.patience import patiently
from activities.store import turns
from activities.store.approvals import Approval, pending_question
from activities.store.attempts import Attempt, Begun, StoredFile, ToolMessage, artifact_id
from activities.store.reading.callers import ResidentCall, resident_call
from activities.store.turns import CallDefinition
from activities.tools.context import AgentContext, ToolResult
from activities.tools.fallbacks import fallback_events
from activities.tools.mcp.questions import Question, Replies
from activities.tools.server_tools import AllowedServerTools
from activities.tools.skills import AllowedSkills
from activities.tools.toolbox import Toolbox
from workflows import policies
from workflows.agent_contracts import ActCall, ActOutcome, Verdict, call_sub_task_id
from workflows.definitions.agent import Agent
from workflows.errors import AgentOSError, DiskFull, InternalError
from workflows.errors.agents import CallExpired, CallInterrupted, CallRefused, ToolChanged
from workflows.errors.mcp import McpAsks
from workflows.states import Status

NO_EXIT_CODE = None
APPROVAL_SECONDS = 24 * 3_600.0


async def make_call(
    equipment: Equipment,
    toolbox: Toolbox,
    call: ActCall,
    approval_seconds: float = APPROVAL_SECONDS,
) -> ActOutcome:
    """Make a call, unless its result is written already. A failure of the tool is a result.

    A question that its server has to a person waits for an answer for ``approval_seconds``.

    Raises:
        ApplicationError: the task has ended or was started again, or another attempt is worth
            while.
    """
    info = activity.info()
    attempt = Attempt(
        task_id=call.task_id,
        sub_task_id=call_sub_task_id(call.task_id, call.seq),
        run=call.run,
        number=call.attempts + call.tried + info.attempt,
        retries=call.attempts + policies.ACT_RETRIES,
        worker_id=equipment.worker_id,
        execution=info.workflow_run_id,
        begun_in=info.workflow_run_id,
        before=call.attempts,
        tried=call.tried,
    )
    ok, asked = True, None

    async def perform(begun: Begun, reporter: Reporter) -> Performed:
        nonlocal ok, asked
        wanted = CallDefinition.model_validate(begun.definition)
        tool_call = _ToolCall(
            equipment, toolbox, call, attempt, wanted, begun, reporter, approval_seconds
        )
        performed = await tool_call.perform()
        ok, asked = performed.error is None, performed.approval
        return performed

    if info.attempt > 1 and (written := await _written(equipment, call, attempt)):
        return written
    outcome = await run_attempt(
        equipment.database,
        attempt,
        perform,
        slots=equipment.slots,
        counted=Counted(equipment.numbers, "call"),
        names_files=equipment.names_files,
    )
    if outcome.held is not None:
        return ActOutcome(ok=ok, attempts=call.attempts, held=outcome.held)
    if asked is not None:
        return ActOutcome(ok=ok, ask_id=asked.id, attempts=attempt.number)
    return ActOutcome(ok=ok, made=outcome.made)


async def _written(equipment: Equipment, call: ActCall, attempt: Attempt) -> ActOutcome | None:
    """What came of an attempt before this one, if that is written already: the result of the call,
    or a question."""
    database = equipment.database
    async with heartbeating():  # The database may be away for longer than a worker may be silent.
        status = await patiently(
            lambda: turns.status_of_call(database, call.task_id, call.seq, attempt.execution or "")
        )
        if status is not None:
            return ActOutcome(ok=status == Status.COMPLETED)
        asked = await patiently(
            lambda: pending_question(database, attempt.sub_task_id, call.attempts)
        )
    if asked is None or asked.elicitation is None:
        return None
    return ActOutcome(ok=True, ask_id=asked.id, attempts=asked.elicitation.asked_in)


@dataclass(frozen=True, slots=True)
class _ToolCall:
    """One attempt at a call, which is ``wanted`` by the model."""

    equipment: Equipment
    toolbox: Toolbox
    call: ActCall
    attempt: Attempt
    wanted: CallDefinition
    begun: Begun
    reporter: Reporter
    approval_seconds: float

    async def perform(self) -> Performed:
        """Make the call, unless a person or a lost worker has decided its result already."""
        asked = self._asked
        if asked and (decided := await self._decided(asked)):
            return decided
        try:
            replies = replies_so_far(asked, self.call.verdict)
        except Unreadable as error:
            assert asked
            again = asked_again(asked, str(error), self.attempt.number, self.approval_seconds)
            return self._asks(again)
        if self._is_interrupted():
            return self._told(interrupted(), error=CallInterrupted(tool=self.wanted.tool))
        try:
            with foreseen():
                return await self._make(replies)
        except (InternalError, DiskFull) as error:  # The call may have been made.
            if self._may_repeat() and self._is_followed:
                raise
            result = ToolResult("", exit_code=NO_EXIT_CODE, error=error)
            return self._told(observation(result, Shown(""), {}), result=result)

    def _is_worth_another(self, error: AgentOSError) -> bool:
        """Whether another attempt follows one that failed so, and may."""
        is_unclear = isinstance(error, UNCLEAR) and not self._may_repeat()
        return error.retryable and self._is_followed and not is_unclear

    @property
    def _is_followed(self) -> bool:
        """Whether another attempt follows one that fails."""
        return self.begun.failures < self.attempt.retries

    @property
    def _asked(self) -> Approval | None:
        """What a person was asked about it last."""
        asked = self.begun.approval
        return None if asked is None else Approval.model_validate(asked)

    def _is_interrupted(self) -> bool:
        """Whether the call may have taken effect, and must not be made again."""
        return self.begun.was_lost and not self._may_repeat()

    async def _decided(self, asked: Approval) -> Performed | None:
        """The result that a person has decided on, if the call is not to be made."""
        verdict = self.call.verdict
        if verdict is None:
            return None
        if asked.elicitation is None:  # Else it is the tool's server that is told.
            if verdict is Verdict.EXPIRED:
                return self._told(expired(), error=CallExpired(tool=self.wanted.tool))
            if verdict is not Verdict.APPROVED:
                return self._told(denied(asked.note), error=CallRefused(tool=self.wanted.tool))
            if asked.kind == "answer":
                return self._told(asked.note or "")
        # A call that may have been made already is not said not to have been.
        if not self._is_interrupted() and await self._has_changed():
            return self._told(changed(), error=ToolChanged(tool=self.wanted.tool))
        return None

    def _asks(self, approval: Approval) -> Performed:
        """The call waits for a person's answer to a question of its server."""
        call_id = self.attempt.sub_task_id
        event = question_event(self.begun.name, call_id, self.wanted, approval)
        return Performed(exit_code=NO_EXIT_CODE, approval=approval, events=(event,))

    async def _make(self, replies: Replies) -> Performed:
        async with self.equipment.scratch.workplace() as workplace:
            context = self._context(workplace, await self._resident())
            result = await self.toolbox.call(
                context, self.wanted.tool, self.wanted.arguments, replies
            )
            if isinstance(result.error, McpAsks) and may_ask(replies):
                question = result.error.fields["question"]
                assert isinstance(question, Question)
                asked = self._asked
                before = asked.number if asked else 0
                number, seconds = self.attempt.number, self.approval_seconds
                return self._asks(approval_of(question, replies, number, seconds, before))
            if result.error and self._is_worth_another(result.error):
                raise result.error
            if not self.reporter.stdout:
                self.reporter.stdout.extend(result.text.encode("utf-8", "replace"))
            shown = await shorten(result, self.equipment.tokens, workplace.output, self.begun.name)
            files, refused, fault = await self._publish(workplace.output, result.mime_types)
            if fault is not None and fault.retryable and self._may_repeat():
                raise fault
        if fault is not None and result.error is None:
            result = replace(result, exit_code=NO_EXIT_CODE, error=fault)
        text = observation(
            result,
            shown,
            {file.name: self._id_of(file) for file in files},
            refused,
            public_url=self.equipment.public_url,
        )
        return self._told(text, result=result, files=files, refused=refused)

    async def _has_changed(self) -> bool:
        """Whether the tool is another than the one that a person approved a call of."""
        digest = self.wanted.digest
        return digest is not None and await self.toolbox.has_changed(
            self.begun.team_id, self.wanted.tool, digest
        )

    def _may_repeat(self) -> bool:
        """Whether to make a call again of which nobody knows how far it has come."""
        return self.wanted.is_retry_safe and self.toolbox.may_repeat(
            self.equipment, self.wanted.tool, self.wanted.arguments
        )

    async def _resident(self) -> ResidentCall | None:
        agent_id = self.call.agent_id
        if agent_id is None or not self.toolbox.is_for_residents(self.wanted.tool):
            return None
        database, exchange_id = self.equipment.database, self.attempt.task_id
        return await patiently(lambda: resident_call(database, agent_id, exchange_id))

    def _context(self, workplace: Workplace, resident: ResidentCall | None) -> AgentContext:
        agent = Agent(skills=self.begun.skills, tools=self.begun.tools)
        return AgentContext(
            self.attempt.task_id,
            self.begun.team_id,
            workplace.output,
            self.equipment,
            code=workplace.code,
            reporter=self.reporter,
            skills=AllowedSkills(self.equipment.catalogue, agent.skills),
            server_tools=AllowedServerTools(self.toolbox, self.begun.team_id, agent),
            call_id=self.attempt.sub_task_id,
            resident=resident,
        )

    async def _publish(
        self, output: Path, mime_types: Mapping[str, str]
    ) -> tuple[tuple[StoredFile, ...], tuple[str, ...], AgentOSError | None]:
        """The files that were made, those that were refused, or why none could be taken."""
        limits = self.equipment.scripts.limits(0)
        try:
            files, refused = await publish_output(
                self.equipment.blobs, self.begun.team_id, output, limits, mime_types
            )
        except AgentOSError as error:
            return (), (), error
        return files, refused, None

    def _id_of(self, file: StoredFile) -> UUID:
        return artifact_id(self.attempt.sub_task_id, file.name, file.sha256)

    def _told(
        self,
        text: str,
        *,
        result: ToolResult | None = None,
        error: AgentOSError | None = None,
        files: tuple[StoredFile, ...] = (),
        refused: tuple[str, ...] = (),
    ) -> Performed:
        """What the model reads, and how the call ended."""
        if self.wanted.is_edited:
            text = edited(self.wanted.arguments) + text
        result = result or ToolResult(text, exit_code=NO_EXIT_CODE if error else 0, error=error)
        call_id = str(self.attempt.sub_task_id)
        event = result_event(self.begun.name, call_id, text, ok=result.error is None)
        fallback = fallback_events(self.begun.name, result)
        return Performed(
            exit_code=result.exit_code,
            files=files,
            refused=refused,
            error=result.error,
            message=ToolMessage(
                seq=self.call.seq,
                turn=self.wanted.turn,
                request_id=self.wanted.request_id,
                content=text,
                is_protected=result.is_protected,
            ),
            events=(*fallback, event),
            answered_by=result.answered_by,
        )
