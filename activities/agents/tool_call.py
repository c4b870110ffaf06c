"""A tool call of an agent: allowed, made, and told to the model."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from temporalio import activity

from activities.agents.observations import denied, expired, interrupted, observation, shorten
from activities.agents.turn_events import result_event
from activities.attempts.artifacts import publish_output
from activities.attempts.attempt import Performed, run_attempt, told_to_temporal
from activities.attempts.reporter import Reporter
from activities.attempts.scratch import Scratch
from activities.attempts.scripts import Scripts
from activities.inputs import Inputs
from activities.patience import patiently
from activities.sandbox.base import Sandbox
from activities.skills.catalogue import Catalogue
from activities.store import turns
from activities.store.approvals import Approval
from activities.store.attempts import Attempt, Begun, StoredFile, ToolMessage, artifact_id
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.turns import CallDefinition
from activities.tokens import Tokens
from activities.tools.context import AgentContext, ToolResult
from activities.tools.searching import WebSearch
from activities.tools.skills import AllowedSkills
from activities.tools.toolbox import Toolbox
from workflows import policies
from workflows.contracts import ActCall, ActOutcome, Verdict, call_sub_task_id
from workflows.errors import AgentOSError, CallExpired, CallInterrupted, CallRefused
from workflows.states import Status

NO_EXIT_CODE = None


@dataclass(frozen=True, slots=True)
class Equipment:
    """What tools work with. ``public_url`` comes before the paths of artifacts."""

    worker_id: str
    database: Database
    blobs: Blobs
    inputs: Inputs
    sandbox: Sandbox
    scripts: Scripts
    catalogue: Catalogue
    scratch: Scratch
    tokens: Tokens
    search: WebSearch | None = None
    public_url: str = ""


class Acting:
    def __init__(self, equipment: Equipment, toolbox: Toolbox) -> None:
        self._equipment = equipment
        self._database = equipment.database
        self._toolbox = toolbox

    async def act(self, call: ActCall) -> ActOutcome:
        """Make a call, unless its result is written already. A failure of the tool is a result.

        Raises:
            TaskMoved: the task has ended or was started again.
            TemporaryFailure, WorkerStopping: another attempt is worth while.
        """
        info = activity.info()
        attempt = Attempt(
            task_id=call.task_id,
            sub_task_id=call_sub_task_id(call.task_id, call.seq),
            run=call.run,
            number=info.attempt,
            retries=policies.ACT_RETRIES,
            worker_id=self._equipment.worker_id,
            execution=info.workflow_run_id,
        )

        performed = Performed()

        async def perform(begun: Begun, reporter: Reporter) -> Performed:
            nonlocal performed
            performed = await self._perform(call, attempt, begun, reporter)
            return performed

        if attempt.number > 1 and (status := await self._status(call, attempt)):
            return ActOutcome(ok=status == Status.COMPLETED)
        await run_attempt(self._database, attempt, perform)
        return ActOutcome(ok=performed.error is None)

    async def _status(self, call: ActCall, attempt: Attempt) -> str | None:
        async with told_to_temporal():
            return await patiently(
                lambda: turns.status_of_call(
                    self._database, call.task_id, call.seq, attempt.execution or ""
                )
            )

    async def _perform(
        self, call: ActCall, attempt: Attempt, begun: Begun, reporter: Reporter
    ) -> Performed:
        wanted = CallDefinition.model_validate(begun.definition)
        making = _Call(call.seq, attempt, wanted, begun, reporter)
        if call.verdict is Verdict.APPROVED and begun.approval:
            asked = Approval.model_validate(begun.approval)
            if asked.kind == "answer":
                return making.told(asked.note or "")
        elif call.verdict is not None:
            return making.refused(call.verdict)
        if begun.was_lost and not self._may_repeat(wanted):
            return making.told(interrupted(), error=CallInterrupted(tool=wanted.tool))
        return await self._run(making)

    def _may_repeat(self, wanted: CallDefinition) -> bool:
        """Whether to make a call again of which nobody knows how far it has come."""
        if wanted.tool == "run_skill_script":
            skill = str(wanted.arguments.get("skill"))
            if self._equipment.scripts.may_use_network(skill):
                return False
        return wanted.is_retry_safe

    async def _run(self, making: "_Call") -> Performed:
        attempt, wanted = making.attempt, making.wanted
        async with self._equipment.scratch.workplace() as workplace:
            context = self._context(making, workplace.output, workplace.code)
            result = await self._toolbox.call(context, wanted.tool, wanted.arguments)
            error = result.error
            if error is not None and error.retryable and attempt.number <= attempt.retries:
                raise error
            if not making.reporter.stdout:
                making.reporter.stdout.extend(result.text.encode("utf-8", "replace"))
            shown = await shorten(
                result, self._equipment.tokens, workplace.output, making.begun.name
            )
            files, refused, fault = await self._publish(making, workplace.output)
            if fault is not None and fault.retryable and self._may_repeat(wanted):
                raise fault
        if fault is not None and result.error is None:
            result = ToolResult(result.text, exit_code=NO_EXIT_CODE, error=fault)
        text = observation(
            result,
            shown,
            {file.name: making.id_of(file) for file in files},
            refused,
            public_url=self._equipment.public_url,
        )
        return making.told(text, result=result, files=files, refused=refused)

    def _context(self, making: "_Call", output: Path, code: Path) -> AgentContext:
        equipment = self._equipment
        return AgentContext(
            task_id=making.attempt.task_id,
            team_id=making.begun.team_id,
            output=output,
            database=self._database,
            inputs=equipment.inputs,
            code=code,
            reporter=making.reporter,
            skills=AllowedSkills(equipment.catalogue, making.begun.skills),
            sandbox=equipment.sandbox,
            scripts=equipment.scripts,
            search=equipment.search,
        )

    async def _publish(
        self, making: "_Call", output: Path
    ) -> tuple[tuple[StoredFile, ...], tuple[str, ...], AgentOSError | None]:
        """The files that were made, those that were refused, or why none could be taken."""
        limits = self._equipment.scripts.limits(0)
        try:
            files, refused = await publish_output(
                self._equipment.blobs, making.begun.team_id, output, limits
            )
        except AgentOSError as error:
            return (), (), error
        return files, refused, None


@dataclass(frozen=True, slots=True)
class _Call:
    """A call on its way. ``seq`` is the number of the message that tells of its result."""

    seq: int
    attempt: Attempt
    wanted: CallDefinition
    begun: Begun
    reporter: Reporter

    def id_of(self, file: StoredFile) -> UUID:
        return artifact_id(self.attempt.sub_task_id, file.name, file.sha256)

    def refused(self, verdict: Verdict) -> Performed:
        if verdict is Verdict.EXPIRED:
            return self.told(expired(), error=CallExpired(tool=self.wanted.tool))
        note = (self.begun.approval or {}).get("note")
        return self.told(denied(note), error=CallRefused(tool=self.wanted.tool))

    def told(
        self,
        text: str,
        *,
        result: ToolResult | None = None,
        error: AgentOSError | None = None,
        files: tuple[StoredFile, ...] = (),
        refused: tuple[str, ...] = (),
    ) -> Performed:
        """What the model reads, and how the call ended."""
        result = result or ToolResult(text, exit_code=NO_EXIT_CODE if error else 0, error=error)
        call_id = str(self.attempt.sub_task_id)
        told = result_event(self.begun.name, call_id, text, ok=result.error is None)
        return Performed(
            exit_code=result.exit_code,
            files=files,
            refused=refused,
            error=result.error,
            message=ToolMessage(
                seq=self.seq,
                turn=self.wanted.turn,
                request_id=self.wanted.request_id,
                content=text,
                is_protected=result.is_protected,
            ),
            events=(told,),
        )
