"""Calls of an agent's tools as activities: what is made again, and what the model is told."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import UUID, uuid4

import pytest
from pydantic import JsonValue
from sqlalchemy import text
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.agents.tool_call import make_call
from activities.disk import Disk
from activities.equipment import Equipment
from activities.llm.base import Answer, ChatMessage, ToolRequest, Usage
from activities.store import attempts, turns
from activities.store.approvals import Approval, asked_calls, decide
from activities.store.attempts import Attempt, Ended
from activities.store.blobs import Blobs, SmallBlob, Stored
from activities.store.database import Database
from activities.store.options import S3Options
from activities.store.turns import Call, CallDefinition, EndedTurn, Turn
from activities.tools.mcp.questions import Question, Replies, Reply
from activities.tools.mcp.results import McpResult
from activities.tools.offered import OfferedTool
from activities.tools.own.loading import modules
from activities.tools.registry import Registry
from activities.tools.toolbox import McpTools, Toolbox
from deploy.local.services import Services
from tests.actors import SOMEBODY
from tests.integration.agent_desk import Desk, agent_desk
from workflows.agent_contracts import ActCall, ActOutcome, Thought, Verdict, call_sub_task_id
from workflows.definitions.agent import Agent
from workflows.errors import DiskFull, InternalError
from workflows.errors.inputs import InputFolderFull
from workflows.errors.mcp import McpAsks
from workflows.states import Status

EXECUTION = "a"
SEQ = 4
NOW = datetime.now(UTC)


class FullBlobs(Blobs):
    """A store that has no room, for a while."""

    async def put(
        self, team_id: UUID, sha256: str, size: int, mime_type: str, source: BinaryIO
    ) -> None:
        raise InputFolderFull(folder="the store")

    async def put_small(self, team_id: UUID, wanted: Sequence[SmallBlob], stored: Stored) -> None:
        raise InputFolderFull(folder="the store")


@pytest.fixture(scope="module")
def skills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("skills")
    for name in ("online", "offline"):
        (folder / name / "scripts").mkdir(parents=True)
        (folder / name / "SKILL.md").write_text(f"---\nname: {name}\ndescription: x\n---\n")
        (folder / name / "scripts" / "say.py").write_text("print('said')\n")
    return folder


@pytest.fixture
async def desk(
    infrastructure: Services, database_url: str, bucket: str, skills: Path
) -> AsyncIterator[Desk]:
    networked = {"online"}
    async with agent_desk(infrastructure, database_url, bucket, skills, networked) as desk:
        await desk.begin()
        yield desk


def worker(desk: Desk, blobs: Blobs | None = None) -> Equipment:
    return replace(desk.equipment, blobs=blobs or desk.blobs)


async def asked(
    desk: Desk,
    tool: str,
    *,
    is_retry_safe: bool,
    digest: str | None = None,
    approval: Approval | None = None,
    **arguments: JsonValue,
) -> ActCall:
    """The model asks for a call, whose result will be message ``SEQ``."""
    turn = Turn(desk.task_id, 1, 1, 0, EXECUTION)
    await turns.begin_turn(desk.database, turn, known=0)
    request = ToolRequest("r1", tool, "{}")
    said = ChatMessage("assistant", "", (request,), turn=1)
    definition = CallDefinition(
        tool=tool,
        arguments=arguments,
        turn=1,
        request_id="r1",
        is_retry_safe=is_retry_safe,
        digest=digest,
    )
    if digest is not None:
        approval = Approval(id=uuid4(), kind="approval", asked_at=NOW, expires_at=NOW)
    ended = EndedTurn(
        messages={1: ChatMessage("system", "s"), 2: ChatMessage("user", "u"), 3: said},
        answer=Answer("m", "", (request,), Usage(1, 1, True), 0.0, 1, 1, "tool_calls"),
        thought=Thought(seq=SEQ, tokens=2, cost_usd=0.0, digest="d"),
        calls=(Call(SEQ, f"1.1 {tool}", "tool", definition, approval),),
    )
    await turns.end_turn(desk.database, turn, ended)
    return ActCall(task_id=desk.task_id, run=1, seq=SEQ)


def attempt(desk: Desk, number: int) -> Attempt:
    key = call_sub_task_id(desk.task_id, SEQ)
    return Attempt(desk.task_id, key, 1, number, 3, "worker-0", EXECUTION)


async def act(
    worker: Equipment,
    call: ActCall,
    number: int = 1,
    mcp: McpTools | None = None,
    execution: str = EXECUTION,
    *,
    registry: Registry | None = None,
) -> ActOutcome:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=number, workflow_run_id=execution)
    toolbox = Toolbox(registry or Registry(), worker.database, mcp=mcp)
    return await environment.run(make_call, worker, toolbox, call)


async def observed(desk: Desk) -> str:
    """The result of the call, as the model reads it."""
    query = text("SELECT content FROM messages WHERE task_id = :id AND seq = :seq")
    async with desk.database.reading() as connection:
        values = {"id": desk.task_id, "seq": SEQ}
        return str(await connection.scalar(query, values))


async def write(desk: Desk, *, is_retry_safe: bool) -> ActCall:
    return await asked(
        desk, "write_file", is_retry_safe=is_retry_safe, name="a.txt", text="made again"
    )


async def test_an_unsafe_call_is_not_repeated_when_its_worker_died(desk: Desk) -> None:
    call = await write(desk, is_retry_safe=False)
    await attempts.begin(desk.database, attempt(desk, 1))
    assert not (await act(worker(desk), call, 2)).ok
    assert "Interrupted" in await observed(desk)


async def test_an_unsafe_call_is_not_repeated_when_its_repeat_was_begun_twice(
    desk: Desk,
) -> None:
    """The statement by which an attempt begins is then made twice."""
    call = await write(desk, is_retry_safe=False)
    await attempts.begin(desk.database, attempt(desk, 1))
    await attempts.begin(desk.database, attempt(desk, 2))
    await act(worker(desk), call, 2)
    assert "Interrupted" in await observed(desk)


async def test_an_unsafe_call_is_not_repeated_when_temporal_took_its_worker_for_dead(
    desk: Desk,
) -> None:
    """The worker then learns that its attempt is cancelled, and says farewell."""
    call = await write(desk, is_retry_safe=False)
    await attempts.begin(desk.database, attempt(desk, 1))
    await attempts.end(desk.database, attempt(desk, 1), Ended(Status.CANCELLED, 5))
    await act(worker(desk), call, 2)
    assert "Interrupted" in await observed(desk)


@pytest.mark.parametrize("is_retry_safe", [True, False])
async def test_an_unsafe_call_is_not_repeated_when_temporal_was_reset_after_its_worker_died(
    desk: Desk, *, is_retry_safe: bool
) -> None:
    call = await write(desk, is_retry_safe=is_retry_safe)
    await attempts.begin(desk.database, replace(attempt(desk, 1), begun_in=EXECUTION))
    outcome = await act(worker(desk), call, 1, execution="b")
    assert outcome.ok is is_retry_safe
    assert ("Interrupted" in await observed(desk)) is not is_retry_safe


async def test_a_repeated_call_that_waits_for_the_database_tells_temporal_that_it_lives(
    desk: Desk,
) -> None:
    call = await write(desk, is_retry_safe=True)
    away = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    beats = asyncio.Event()
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=2, workflow_run_id=EXECUTION)
    environment.on_heartbeat = lambda *details: beats.set()
    equipment = replace(desk.equipment, database=away)
    waiting = asyncio.create_task(environment.run(make_call, equipment, desk.toolbox, call))
    async with asyncio.timeout(30):
        await beats.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize(("given", "allowed"), [(None, True), (("offline",), True), ((), False)])
async def test_an_agent_uses_no_skill_but_those_it_is_given(
    desk: Desk, given: tuple[str, ...] | None, *, allowed: bool
) -> None:
    desk.agent, desk.task_id = Agent(skills=given), uuid4()
    await desk.begin()
    call = await asked(desk, "load_skill", is_retry_safe=True, skill="offline")
    assert (await act(worker(desk), call)).ok == allowed


async def test_a_call_that_never_began_is_made(desk: Desk) -> None:
    call = await write(desk, is_retry_safe=False)
    assert (await act(worker(desk), call, 2)).ok
    assert "File 'a.txt' created" in await observed(desk)


async def test_a_call_that_is_safe_to_repeat_is_made_again(desk: Desk) -> None:
    call = await write(desk, is_retry_safe=True)
    await attempts.begin(desk.database, attempt(desk, 1))
    assert (await act(worker(desk), call, 2)).ok
    assert "File 'a.txt' created" in await observed(desk)


@pytest.mark.parametrize(("skill", "result"), [("offline", "said"), ("online", "Interrupted")])
async def test_a_script_is_run_again_unless_it_may_use_the_network(
    desk: Desk, skill: str, result: str
) -> None:
    call = await asked(desk, "run_skill_script", is_retry_safe=True, skill=skill)
    await attempts.begin(desk.database, attempt(desk, 1))
    await act(worker(desk), call, 2)
    assert result in await observed(desk)


async def test_a_store_that_refuses_is_told_to_the_model(
    desk: Desk, infrastructure: Services, bucket: str
) -> None:
    s3 = infrastructure.s3
    strange = Blobs(S3Options(s3.endpoint, bucket, s3.access_key, "another key"))
    call = await write(desk, is_retry_safe=True)
    assert not (await act(worker(desk, strange), call)).ok
    assert "The S3 store refused" in await observed(desk)


async def test_a_call_whose_files_cannot_be_kept_for_now_is_made_again(
    desk: Desk, full: Blobs
) -> None:
    call = await write(desk, is_retry_safe=True)
    with pytest.raises(ApplicationError) as raised:
        await act(worker(desk, full), call)
    assert not raised.value.non_retryable
    assert (await act(worker(desk), call, 2)).ok


async def test_an_unsafe_call_whose_files_cannot_be_kept_is_not_made_again(
    desk: Desk, full: Blobs
) -> None:
    call = await write(desk, is_retry_safe=False)
    assert not (await act(worker(desk, full), call)).ok
    assert "No space is left" in await observed(desk)


@pytest.fixture
def full(infrastructure: Services, bucket: str) -> Blobs:
    s3 = infrastructure.s3
    return FullBlobs(S3Options(s3.endpoint, bucket, s3.access_key, s3.secret_key))


class FillingDisk(Disk):
    """A disk that is full whenever a script has ended, and not before it begins."""

    @property
    def shortage(self) -> DiskFull:
        return DiskFull(service="the worker", reason="2 MiB are free")

    async def check(self) -> None:
        pass


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise ValueError('no rows')", "script-failed"),
        ("raise OSError(28, 'No space left on device')", "disk-full"),
    ],
)
async def test_code_of_an_agent_says_whether_it_failed_for_want_of_room(
    desk: Desk, source: str, reason: str
) -> None:
    desk.equipment.scratch.disk = FillingDisk(Path("/"), "the worker")
    call = await asked(desk, "run_code", is_retry_safe=True, language="python", source=source)
    if reason == "disk-full":
        with pytest.raises(ApplicationError) as raised:
            await act(worker(desk), call)
        assert raised.value.type == reason
        return
    assert not (await act(worker(desk), call)).ok
    assert "ValueError: no rows" in await observed(desk)


@pytest.mark.parametrize("is_retry_safe", [True, False])
async def test_a_tool_of_the_house_that_lost_a_service_is_called_again_only_where_that_is_safe(
    desk: Desk, tmp_path: Path, *, is_retry_safe: bool
) -> None:
    (tmp_path / "bank.py").write_text(
        "from activities.tools.registry import tool\n"
        "from workflows.errors import TemporaryFailure\n"
        f"@tool(is_retry_safe={is_retry_safe})\n"
        'def pay() -> None:\n    """Pay."""\n'
        "    raise TemporaryFailure(service='PostgreSQL', reason='it is restarted')\n"
    )
    registry = Registry(modules([tmp_path]))
    call = await asked(desk, "pay", is_retry_safe=is_retry_safe)
    if is_retry_safe:
        with pytest.raises(ApplicationError) as raised:
            await act(worker(desk), call, registry=registry)
        assert (raised.value.type, raised.value.non_retryable) == ("temporary-failure", False)
        return
    assert not (await act(worker(desk), call, registry=registry)).ok
    assert "may have taken effect before" in await observed(desk)


@pytest.mark.parametrize("is_retry_safe", [True, False])
async def test_a_call_that_fails_as_nobody_foresaw_is_made_again_only_where_that_is_safe(
    desk: Desk, *, is_retry_safe: bool
) -> None:
    server = Turncoat()
    server.error = KeyError("Ann's row")
    call = await asked(desk, "mcp.a.b", is_retry_safe=is_retry_safe)
    if is_retry_safe:
        with pytest.raises(ApplicationError) as raised:
            await act(worker(desk), call, mcp=server)
        assert (raised.value.type, raised.value.non_retryable) == (InternalError.code, False)
        return
    assert not (await act(worker(desk), call, mcp=server)).ok
    assert "may have taken effect" in await observed(desk)
    assert "Ann" not in await observed(desk)


class Turncoat:
    """A server with one tool, whose description is what was set last."""

    def __init__(self) -> None:
        self.description = "Reads."
        self.calls = 0
        self.error: Exception | None = None

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        return [OfferedTool("mcp.a.b", self.description, {"type": "object"})]

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies,
    ) -> McpResult:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return McpResult("done")


@pytest.mark.parametrize("description", ["Reads.", "Deletes."])
async def test_an_approval_holds_for_the_definition_that_was_approved_only(
    desk: Desk, description: str
) -> None:
    server = Turncoat()
    [offered] = await server.offered(desk.task_id)
    call = await asked(desk, "mcp.a.b", is_retry_safe=False, digest=offered.digest)
    approved = call.model_copy(update={"verdict": Verdict.APPROVED})
    server.description = description
    outcome = await act(worker(desk), approved, mcp=server)
    if description == offered.description:
        assert (outcome.ok, server.calls) == (True, 1)
        return
    assert (outcome.ok, server.calls) == (False, 0)
    assert "a person will be asked again" in await observed(desk)


async def test_an_approved_call_that_may_have_been_made_is_not_said_not_to_have_been(
    desk: Desk,
) -> None:
    server = Turncoat()
    [offered] = await server.offered(desk.task_id)
    call = await asked(desk, "mcp.a.b", is_retry_safe=False, digest=offered.digest)
    await attempts.begin(desk.database, attempt(desk, 1))
    server.description = "Deletes."
    approved = call.model_copy(update={"verdict": Verdict.APPROVED})
    assert not (await act(worker(desk), approved, 2, mcp=server)).ok
    assert "may have taken effect" in await observed(desk)
    assert server.calls == 0


async def test_a_call_that_a_person_has_edited_is_made_so_and_the_model_is_told(desk: Desk) -> None:
    approval = Approval(
        id=uuid4(), kind="approval", asked_at=NOW, expires_at=NOW + timedelta(hours=1)
    )
    call = await asked(
        desk, "write_file", is_retry_safe=True, approval=approval, name="a.txt", text="as the model"
    )
    [waiting] = await asked_calls(desk.database, desk.task_id, 10, waiting=True)
    edited = {"name": "b.txt", "text": "as the person"}
    assert await decide(desk.database, SOMEBODY, waiting, "approve", None, arguments=edited)
    approved = call.model_copy(update={"verdict": Verdict.APPROVED})
    assert (await act(worker(desk), approved)).ok
    said = await observed(desk)
    assert said.startswith("A person changed the arguments of this call")
    assert '{"name": "b.txt", "text": "as the person"}' in said
    assert "File 'b.txt'" in said


class Curious:
    """A server with one tool, which asks for a number before it does anything."""

    question = Question("How many?", {"properties": {"count": {"type": "integer"}}})

    def __init__(self) -> None:
        self.effects: list[Reply] = []
        self.calls = 0
        self.description = "Books."

    async def offered(self, team_id: UUID) -> Sequence[OfferedTool]:
        return [OfferedTool("mcp.a.b", self.description, {"type": "object"})]

    async def call(
        self,
        team_id: UUID,
        name: str,
        arguments: Mapping[str, JsonValue],
        timeout_seconds: float,
        replies: Replies,
    ) -> McpResult:
        self.calls += 1
        if (reply := replies.get(self.question.key)) is None:
            raise McpAsks(server="a", tool="b", question=self.question, limit=10)
        self.effects.append(reply)
        return McpResult(f"{reply.action} {reply.content}")


async def ask(desk: Desk, server: Curious, digest: str | None = None) -> tuple[ActCall, ActOutcome]:
    call = await asked(desk, "mcp.a.b", is_retry_safe=False, digest=digest)
    outcome = await act(worker(desk), call, mcp=server)
    assert (outcome.attempts, server.effects) == (1, [])
    return call, outcome


async def decided(
    desk: Desk, call: ActCall, outcome: ActOutcome, answer: Literal["approve", "deny"], note: str
) -> ActCall:
    """A person answers; the call as the workflow makes it then."""
    [waiting] = await asked_calls(desk.database, desk.task_id, 10, waiting=True)
    assert waiting.approval.id == outcome.ask_id
    assert await decide(desk.database, SOMEBODY, waiting, answer, note)
    verdict = Verdict.APPROVED if answer == "approve" else Verdict.DENIED
    return call.model_copy(update={"verdict": verdict, "attempts": outcome.attempts})


async def test_a_question_of_a_server_waits_for_a_person_whose_answer_is_given_to_it(
    desk: Desk,
) -> None:
    server = Curious()
    call, outcome = await ask(desk, server)
    [waiting] = await asked_calls(desk.database, desk.task_id, 10, waiting=True)
    assert (waiting.approval.kind, waiting.approval.question) == (
        "answer",
        "How many?\nAnswer with:\n- count (integer, optional)",
    )
    again = await decided(desk, call, outcome, "approve", "3")
    assert (await act(worker(desk), again, mcp=server)).ask_id is None
    assert server.effects == [Reply("accept", {"count": 3})]
    assert "accept {'count': 3}" in await observed(desk)


@pytest.mark.parametrize("answer", ["approve", "deny"])
async def test_a_call_is_not_made_again_if_its_tool_was_changed_while_a_question_waited(
    desk: Desk, answer: Literal["approve", "deny"]
) -> None:
    server = Curious()
    [offered] = await server.offered(desk.task_id)
    call, outcome = await ask(desk, server, offered.digest)
    server.description = "Deletes."
    again = await decided(desk, call, outcome, answer, "3")
    assert not (await act(worker(desk), again, mcp=server)).ok
    assert (server.calls, server.effects) == (1, [])
    assert "was changed while the call waited" in await observed(desk)


async def test_a_call_is_made_again_after_a_question_if_its_tool_is_the_same(desk: Desk) -> None:
    server = Curious()
    [offered] = await server.offered(desk.task_id)
    again = await decided(desk, *await ask(desk, server, offered.digest), "approve", "3")
    assert (await act(worker(desk), again, mcp=server)).ok
    assert server.effects == [Reply("accept", {"count": 3})]


async def test_a_server_learns_that_its_question_is_declined(desk: Desk) -> None:
    server = Curious()
    again = await decided(desk, *await ask(desk, server), "deny", "")
    await act(worker(desk), again, mcp=server)
    assert server.effects == [Reply("decline")]


async def test_an_answer_that_does_not_fit_is_asked_for_again_and_not_given_on(
    desk: Desk,
) -> None:
    server = Curious()
    call, outcome = await ask(desk, server)
    again = await decided(desk, call, outcome, "approve", "three")
    second = await act(worker(desk), again, mcp=server)
    assert (second.attempts, server.calls) == (2, 1)
    [waiting] = await asked_calls(desk.database, desk.task_id, 10, waiting=True)
    assert "'count' is a whole number" in str(waiting.approval.question)
    once_more = await decided(desk, again, second, "approve", "3")
    await act(worker(desk), once_more, mcp=server)
    assert server.effects == [Reply("accept", {"count": 3})]


async def test_a_question_is_not_asked_again_when_the_worker_dies_before_it_says_so(
    desk: Desk,
) -> None:
    server = Curious()
    call, outcome = await ask(desk, server)
    assert await act(worker(desk), call, 2, mcp=server) == outcome
    assert server.calls == 1


async def test_a_call_with_an_answer_is_not_repeated_when_its_worker_died(desk: Desk) -> None:
    server = Curious()
    call, outcome = await ask(desk, server)
    again = await decided(desk, call, outcome, "approve", "3")
    await attempts.begin(desk.database, attempt(desk, 2))
    assert not (await act(worker(desk), again, 2, mcp=server)).ok
    assert server.effects == []
    assert "Interrupted" in await observed(desk)
