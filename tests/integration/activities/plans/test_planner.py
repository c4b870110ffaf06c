"""The turns of a planner: what it is offered, what is made of its answers, and what it reads."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.agents.roles.table import roles_of
from activities.agents.tool_call import make_call
from activities.agents.turn import TurnOptions, Turns
from activities.equipment import Equipment
from activities.llm.base import ModelOptions
from activities.llm.models import Models
from activities.plans.fallback import MAX_LOOKUPS, MAX_REPAIRS
from activities.skills.catalogue import Catalogue
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from deploy.local.services import Services
from tests.doubles.model_server import Act, Exchange, ModelServer, model_server, text
from tests.doubles.scripted_models import asks, finishes
from tests.equipment import TOKENS, installed
from tests.integration.agent_desk import agent_desk
from tests.integration.plan_desk import PlanDesk
from workflows.agent_contracts import ActCall, Hint, ThinkCall, Thought, Verdict
from workflows.definitions.agent import Agent, Limits
from workflows.definitions.plan import Atomicity, Plan

LEFT = {"id": "left", "title": "Left", "description": "Do the left."}
RIGHT = {"id": "right", "title": "Right", "description": "Do the right."}
JOIN = {"id": "join", "title": "Join", "description": "Join.", "depends_on": ["left", "right"]}
ARGUMENTS: dict[str, Any] = {"nodes": [LEFT, RIGHT, JOIN], "reason": "Two sides."}
# What a planner may look at before it plans.
LOOKUPS = ("list_skills", "load_skill", "read_skill_file")
LOADS = asks(("load_skill", {"skill": "greet"}))
PLANS = asks(("make_plan", ARGUMENTS))
CIRCLE = {**LEFT, "depends_on": ["right"]}, {**RIGHT, "depends_on": ["left"]}

# Each as often as it takes until no more is asked for.
BAD: dict[str, tuple[Act, str]] = {
    "prose": (text("First I would clean the files, then I would join them."), "no call"),
    "a call as text": (text('<tool_call>{"name": "make_plan"}</tool_call>'), "a call as text"),
    "half JSON": (asks(("make_plan", '{"nodes": [{"id": "left", "tit')), "not valid JSON"),
    "a circle": (asks(("make_plan", {"nodes": CIRCLE})), "in a circle"),
    "ten thousand nodes": (
        asks(("make_plan", {"nodes": [{**LEFT, "id": f"n{n}"} for n in range(10_000)]})),
        "10000 nodes are more than the 8 allowed",
    ),
    "unknown tools": (
        asks(("make_plan", {"nodes": [{**LEFT, "tools": ["absent"]}]})),
        "there is no tool named 'absent'",
    ),
    "two plans": (asks(*[("make_plan", ARGUMENTS)] * 2), "call make_plan once and alone"),
    "an end before there is a plan": (finishes(), "finish"),
}


@dataclass
class Planning:
    """A plan whose turns are made here; ``thought`` is the last one."""

    desk: PlanDesk
    turns: Turns
    server: ModelServer
    thoughts: list[Thought] = field(default_factory=list)

    @property
    def seq(self) -> int:
        return self.thoughts[-1].seq if self.thoughts else 0

    async def think(self, *acts: Act, hint: Hint | None = None) -> Thought:
        """A turn for each of these answers."""
        for act in acts:
            self.server.answers(act)
            call = ThinkCall(
                task_id=self.desk.task_id,
                run=1,
                turn=len(self.thoughts) + 1,
                seq=self.seq,
                hint=hint,
            )
            self.thoughts.append(await self._as_activity(self.turns.make, call))
        return self.thoughts[-1]

    async def runs(self, *failed: str) -> None:
        """The nodes of the last call end, these badly, and the planner is told."""
        seq = self.thoughts[-1].calls[0].seq
        opened = await self.desk.open(seq)
        ready = {
            node.number for node in opened.nodes if not (node.is_completed or node.is_replaced)
        }
        while ready:
            stored = await self.desk.stored()
            done = {node.name for node in stored.nodes if node.status.value == "completed"}
            now = [n for n in stored.nodes if n.number in ready and done >= {*n.dependencies}]
            if not now:
                break
            await self.desk.begin(*(node.number for node in now))
            for node in now:
                ready.discard(node.number)
                if node.name in failed:
                    await self.desk.fails(node.name)
                else:
                    await self.desk.completes(node.name, summary=f"Did {node.name}.")
                await self.desk.end(node.number)
        await self.desk.report(seq)

    async def looks(self) -> str:
        """The calls of the last turn are made: gives the result of the last one."""
        for call in self.thoughts[-1].calls:
            await self._act(ActCall(task_id=self.desk.task_id, run=1, seq=call.seq))
        rows = await self.desk.rows(
            "SELECT content FROM messages WHERE task_id = :task_id ORDER BY seq DESC LIMIT 1"
        )
        return str(rows[0][0])

    async def denies(self, note: str | None) -> None:
        """A person denies the last call."""
        seq = self.thoughts[-1].calls[0].seq
        await self.desk.write(
            """
            UPDATE sub_tasks SET approval = approval || CAST(:said AS jsonb)
            WHERE task_id = :id AND execution_order = :seq""",
            said=json.dumps({"decision": "deny", "note": note}),
            id=self.desk.task_id,
            seq=seq,
        )
        await self._act(ActCall(task_id=self.desk.task_id, run=1, seq=seq, verdict=Verdict.DENIED))

    async def _act(self, call: ActCall) -> None:
        toolbox = Toolbox(Registry(), self.desk.database)

        async def act(call: ActCall) -> object:
            return await make_call(self.desk.equipment, toolbox, call, 3_600.0)

        await self._as_activity(act, call)

    async def arguments(self) -> dict[str, Any]:
        """Those of the last call, as they are kept."""
        rows = await self.desk.rows(
            "SELECT input_context -> 'arguments' FROM sub_tasks "
            "WHERE task_id = :task_id AND number IS NULL ORDER BY execution_order DESC LIMIT 1"
        )
        found: dict[str, Any] = rows[0][0]
        return found

    def sent(self, number: int = -1) -> list[dict[str, Any]]:
        return list(self.server.requests[number].body["messages"])

    def offered(self, number: int = -1) -> list[str]:
        tools = self.server.requests[number].body["tools"]
        return [tool["function"]["name"] for tool in tools]

    async def _as_activity(self, work: Any, call: Any) -> Any:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, workflow_run_id=self.desk.execution)

        async def run() -> Any:
            return await work(call)

        return await environment.run(run)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as served:
        yield served


@pytest.fixture
async def desk(
    infrastructure: Services,
    database_url: str,
    bucket: str,
    tmp_path: Path,
    skills_folder: Path,
) -> AsyncIterator[PlanDesk]:
    async with agent_desk(infrastructure, database_url, bucket, tmp_path) as desk:
        given = {"a": await desk.upload(b"x"), "b": await desk.upload(b"yy")}
        equipped = replace(desk.equipment, catalogue=Catalogue([skills_folder]))
        yield PlanDesk(equipped, inputs=given)


@pytest.fixture
async def planning(desk: PlanDesk, server: ModelServer) -> AsyncIterator[Planning]:
    models = Models(ModelOptions(("first",), server.url), TOKENS)
    yield _planning(desk, server, models)
    await models.close()


def _planning(desk: PlanDesk, server: ModelServer, models: Models) -> Planning:
    equipped: Equipment = replace(desk.equipment, models=models)
    roles = roles_of(equipped, Toolbox(Registry(), desk.database), installed(equipped))
    return Planning(desk, Turns(equipped, roles, TurnOptions()), server)


async def test_a_planner_makes_a_plan_and_sums_up_what_its_nodes_report(
    planning: Planning,
) -> None:
    await planning.desk.create()
    thought = await planning.think(PLANS)
    assert planning.offered() == ["make_plan", *LOOKUPS]
    [call] = thought.calls
    assert (call.is_plan, call.ask_id, call.seq) == (True, None, thought.seq)
    assert await planning.arguments() == ARGUMENTS
    system = planning.sent()[0]["content"]
    assert "- a (1 bytes" in system
    assert "- b (2 bytes" in system
    await planning.runs()
    assert (await planning.think(finishes("Both are done."))).finished
    assert planning.offered() == ["finish"]
    assert "Did left." in planning.sent()[-1]["content"]
    assert planning.sent()[0]["content"] == system


async def test_a_summary_is_written_against_the_schema_of_the_plan(planning: Planning) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    planning.desk.plan = Plan(output_schema=schema)
    await planning.desk.create()
    await planning.think(PLANS)
    await planning.runs()
    assert not (await planning.think(finishes(result={"n": "two"}))).finished
    assert (await planning.think(finishes(result={"n": 2}))).finished
    assert "/result/n" in planning.sent()[-1]["content"]


async def test_nodes_that_failed_have_the_plan_revised_once(planning: Planning) -> None:
    planning.desk.plan = Plan(replans=1)
    await planning.desk.create()
    await planning.think(PLANS)
    await planning.runs("left")
    again = {**LEFT, "id": "left-2"}
    joined = {**JOIN, "depends_on": ["left-2", "right"]}
    touches = asks(("revise_plan", {"drop": ["right", "join"], "reason": "It is done."}))
    await planning.think(touches)
    assert planning.offered() == ["revise_plan", *LOOKUPS]
    revises = asks(("revise_plan", {"add": [again], "rewire": [joined], "reason": "Again."}))
    [call] = (await planning.think(revises)).calls
    assert "only pending ones can be changed: join" in planning.sent()[-1]["content"]
    assert call.is_plan
    await planning.runs()
    await planning.think(finishes())
    assert planning.offered() == ["finish"]


async def test_where_nodes_have_failed_a_planner_may_give_up(planning: Planning) -> None:
    planning.desk.plan = Plan(replans=1, approve=True)
    await planning.desk.create()
    await planning.think(PLANS)
    await planning.runs("left")
    gives_up = asks(("revise_plan", {"reason": "There is no left."}))
    [call] = (await planning.think(gives_up)).calls
    assert call.is_plan
    assert call.ask_id is None  # There is nothing to approve.


async def test_a_task_that_is_atomic_is_one_node_and_says_so(planning: Planning) -> None:
    planning.desk.plan = Plan(approve=True)
    await planning.desk.create()
    await planning.think(asks(("make_plan", {"atomic": True, "reason": "It is small."})))
    given = await planning.arguments()
    assert (given["atomic"], given["reason"]) == (True, "It is small.")
    # What a person who has to approve of it reads.
    assert [node["description"] for node in given["nodes"]] == [planning.desk.prompt]
    await _is_whole(planning)


@pytest.mark.parametrize("name", BAD)
async def test_a_planner_is_told_what_is_wrong_and_then_the_task_is_one_node(
    planning: Planning, name: str
) -> None:
    answer, wrong = BAD[name]
    await planning.desk.create()
    *told, last = [await planning.think(answer) for _ in range(MAX_REPAIRS + 1)]
    assert not any(thought.calls for thought in told)
    [call] = last.calls
    assert call.is_plan
    given = await planning.arguments()
    assert given["atomic"] is True
    assert wrong in given["reason"]
    assert [node["description"] for node in given["nodes"]] == [planning.desk.prompt]


async def test_a_plan_that_was_decided_for_a_planner_runs_and_is_told_of_like_its_own(
    planning: Planning,
) -> None:
    await planning.desk.create()
    await planning.think(*[BAD["two plans"][0]] * (MAX_REPAIRS + 1))
    await _is_whole(planning)
    await planning.desk.report(planning.thoughts[-1].calls[0].seq)
    await planning.think(finishes())
    _is_valid(planning.sent())


async def test_a_planner_that_called_nothing_is_asked_for_what_it_can_call(
    planning: Planning,
) -> None:
    await planning.desk.create()
    await planning.think(BAD["prose"][0])
    await planning.think(PLANS, hint=Hint.CALL_A_TOOL)
    assert planning.sent()[-1]["content"] == "You called no tool. Call make_plan now."
    await planning.runs()
    await planning.think(finishes(), hint=Hint.LAST_TURN)
    assert "This is your last turn. Call finish now" in planning.sent()[-1]["content"]


async def test_a_sound_plan_after_two_bad_ones_is_taken(planning: Planning) -> None:
    await planning.desk.create()
    await planning.think(BAD["prose"][0], BAD["a circle"][0])
    [call] = (await planning.think(PLANS)).calls
    assert call.is_plan
    assert await planning.arguments() == ARGUMENTS
    assert "in a circle" in planning.sent()[-1]["content"]


async def test_a_planner_may_read_how_skills_are_used_before_it_plans(
    planning: Planning,
) -> None:
    await planning.desk.create()
    await planning.think(BAD["prose"][0], BAD["prose"][0], LOADS)
    assert 'name="greet"' in await planning.looks()
    [call] = (await planning.think(PLANS)).calls
    assert call.is_plan
    assert await planning.arguments() == ARGUMENTS


async def test_a_planner_reads_only_the_skills_that_its_agents_may_use(
    planning: Planning,
) -> None:
    planning.desk.plan = Plan(agent=Agent(skills=("two",)))
    await planning.desk.create()
    await planning.think(LOADS)
    assert "There is no skill named 'greet'" in await planning.looks()


async def test_a_planner_looks_nothing_up_that_would_leave_no_turn_to_sum_up(
    planning: Planning,
) -> None:
    planning.desk.plan = Plan(limits=Limits(turns=3))
    await planning.desk.create()
    await planning.think(LOADS)
    assert set(LOOKUPS) < set(planning.offered())
    await planning.looks()
    assert (await planning.think(PLANS)).calls[0].is_plan
    assert planning.offered() == ["make_plan"]


async def test_a_planner_that_only_looks_things_up_is_stopped(planning: Planning) -> None:
    await planning.desk.create()
    for _ in range(MAX_LOOKUPS):
        await planning.think(LOADS)
        assert set(LOOKUPS) < set(planning.offered())
        await planning.looks()
    for _ in range(MAX_REPAIRS):
        assert not (await planning.think(LOADS)).calls
        assert planning.offered() == ["make_plan"]
    [call] = (await planning.think(LOADS)).calls
    assert call.is_plan
    assert (await planning.arguments())["atomic"] is True


async def test_a_plan_is_made_in_a_turn_of_its_own(planning: Planning) -> None:
    await planning.desk.create()
    both = asks(("load_skill", {"skill": "greet"}), ("make_plan", ARGUMENTS))
    assert [call.name for call in (await planning.think(both)).calls] == ["load_skill"]
    await planning.looks()
    [call] = (await planning.think(PLANS)).calls
    assert call.is_plan
    assert "call make_plan once and alone" in planning.sent()[-1]["content"]


async def test_a_revision_that_will_not_do_becomes_one_that_changes_nothing(
    planning: Planning,
) -> None:
    await planning.desk.create()
    await planning.think(BAD["prose"][0], BAD["prose"][0], PLANS)
    await planning.runs("left")
    touches = asks(("revise_plan", {"drop": ["right"], "reason": "It is done."}))
    thoughts = [await planning.think(touches) for _ in range(MAX_REPAIRS + 1)]
    assert [len(thought.calls) for thought in thoughts] == [0, 0, 1]
    given = await planning.arguments()
    assert given.keys() == {"reason"}
    assert "only pending ones can be changed" in given["reason"]


async def test_a_person_sees_a_plan_first_and_sends_it_back_with_a_note(
    planning: Planning,
) -> None:
    planning.desk.plan = Plan(approve=True)
    await planning.desk.create()
    [call] = (await planning.think(BAD["prose"][0], BAD["prose"][0], PLANS)).calls
    assert call.ask_id is not None
    await planning.denies("Do the right first.")
    [again] = (await planning.think(BAD["prose"][0], PLANS)).calls
    assert again.ask_id not in {None, call.ask_id}
    assert planning.offered() == ["make_plan", *LOOKUPS]
    [told] = [said for said in planning.sent() if said["role"] == "tool"]
    assert "They say: Do the right first." in told["content"]


async def test_a_plan_that_is_denied_without_a_word_may_be_the_end(planning: Planning) -> None:
    planning.desk.plan = Plan(approve=True)
    await planning.desk.create()
    await planning.think(PLANS)
    await planning.denies(None)
    assert (await planning.think(finishes("Nothing was done."))).finished
    assert planning.offered() == ["make_plan", "finish", *LOOKUPS]


async def test_the_same_task_is_cut_coarser_where_those_who_work_on_it_can_do_more(
    desk: PlanDesk, server: ModelServer
) -> None:
    """The model here reads what its executors are, and decides by that alone."""
    sizes = []
    for agent, context_tokens in (
        (Agent(tools=(), skills=()), 8_000),
        (Agent(tools=("read_file", "write_file"), skills=()), 8_000),
        (Agent(tools=("read_file", "write_file"), skills=()), 128_000),
        (Agent(skills=("greet",)), 128_000),
    ):
        options = ModelOptions(("first",), server.url, context_tokens=context_tokens)
        models = Models(options, TOKENS)
        one = replace(desk.fresh(), plan=Plan(agent=agent))
        await one.create()
        planning = _planning(one, server, models)
        await planning.think(_decides)
        sizes.append(len((await planning.arguments())["nodes"]))
        await models.close()
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)


async def _decides(exchange: Exchange) -> None:
    """Three texts of 40,000 tokens are read, and something is done that a skill is for."""
    prompt = exchange.request.body["messages"][0]["content"]
    held = int(prompt.partition("It holds ")[2].partition(" tokens")[0].replace(",", ""))
    has_tools = "It has no tools" not in prompt
    parts = 3 if held < 120_000 else 1
    parts += 0 if "<name>greet</name>" in prompt else 1
    parts += 0 if has_tools else 1
    nodes = [{**LEFT, "id": f"n{number}"} for number in range(parts)]
    await asks(("make_plan", {"nodes": nodes, "reason": "By what they can."}))(exchange)


@pytest.mark.parametrize("atomicity", Atomicity)
async def test_how_finely_a_plan_is_cut_is_the_servers_setting_unless_it_says_so_itself(
    desk: PlanDesk, server: ModelServer, atomicity: Atomicity
) -> None:
    models = Models(ModelOptions(("first",), server.url), TOKENS)
    equipped = replace(desk.equipment, models=models)
    known = replace(installed(equipped), atomicity=atomicity)
    roles = roles_of(equipped, Toolbox(Registry(), desk.database), known)
    turns = Turns(equipped, roles, TurnOptions())
    prompts = []
    for own in (None, Atomicity.CONSERVATIVE, Atomicity.RELAXED):
        one = replace(desk.fresh(), plan=Plan(atomicity=own))
        await one.create()
        planning = Planning(one, turns, server)
        await planning.think(PLANS)
        prompts.append(planning.sent()[0]["content"])
        # Its second and third node give no reason.
        assert bool(planning.thoughts[0].calls) is ((own or atomicity) is Atomicity.CONSERVATIVE)
    await models.close()
    silent, conservative, relaxed = prompts
    assert "Cut finely." in conservative
    assert "Prefer one node" in relaxed
    assert silent == (conservative if atomicity is Atomicity.CONSERVATIVE else relaxed)


async def _is_whole(planning: Planning) -> None:
    """Opened, it is one node with the prompt and all inputs, which runs to its end."""
    seq = planning.thoughts[-1].calls[0].seq
    await planning.desk.open(seq)
    [node] = (await planning.desk.stored()).nodes
    assert (node.name, node.definition.kind.value) == ("task", "agent")
    assert node.definition.description == planning.desk.prompt
    assert node.definition.inputs == {"a": "${inputs.a}", "b": "${inputs.b}"}
    await planning.desk.begin(1)
    await planning.desk.completes("task")
    await planning.desk.end(1)


def _is_valid(messages: Sequence[dict[str, Any]]) -> None:
    """Each call has its result, and each result its call, as OpenAI wants it."""
    open_calls: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            open_calls.remove(message["tool_call_id"])
        else:
            assert not open_calls
            open_calls = {call["id"] for call in message.get("tool_calls", ())}
    assert not open_calls
