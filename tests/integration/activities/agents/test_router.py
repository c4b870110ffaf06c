"""A model that chooses what a task is: what it is told, may answer, and makes of the task."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text as query
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.agents.roles.table import roles_of
from activities.agents.turn import TurnOptions, Turns
from activities.kinds.base import Installed
from activities.llm.base import Answer, ChatMessage, ModelOptions, Usage
from activities.llm.models import Models
from activities.routes.adapter import Routes
from activities.store import tasks, turns
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.options import S3Options
from activities.store.reading.tasks import find_details
from activities.store.tables import Task
from activities.store.turns import Turn
from activities.tools.registry import Registry
from activities.tools.toolbox import Toolbox
from tests.doubles.model_server import Act, ModelServer, model_server, text
from tests.doubles.scripted_models import asks
from tests.equipment import TOKENS, equipment, installed
from tests.integration.new_tasks import new_task
from tests.integration.restarts import restart
from workflows.agent_contracts import RouteCall, Spent, ThinkCall, Thought
from workflows.contracts import RunStart, TaskClose
from workflows.definitions.agent import Agent, Limits
from workflows.definitions.auto import MAX_ANSWERS, Auto
from workflows.definitions.plan import Plan
from workflows.errors.tasks import TaskMoved
from workflows.states import Permission, Status, TaskType

# Nothing is ever asked of it: no connection is made before it is needed.
BLOBS = Blobs(S3Options("http://127.0.0.1:1", "bucket", "key", "secret"))
SKILLS = Path(__file__).parents[4] / "skills"

CLEAN = {"id": "clean", "skill": "csv-clean", "args": ["${inputs.data}", "-o", "clean.csv"]}
CHART = {"id": "chart", "skill": "chart", "args": ["${steps.clean.files['clean.csv']}"]}
PIPELINE = {"name": "clean-and-chart", "inputs": ["data"], "steps": [CLEAN, CHART]}


def creates(kind: str, reason: str = "it is", **more: Any) -> Act:
    return asks(("create_task", {"type": kind, "reason": reason, **more}))


def compiles(pipeline: object, reason: str = "it is fixed") -> Act:
    return asks(("compile_pipeline", {"pipeline": pipeline, "reason": reason}))


@dataclass(frozen=True, slots=True)
class Router:
    """A worker whose model is asked what a task is."""

    database: Database
    server: ModelServer
    turns: Turns
    routes: Routes

    async def task(
        self, definition: Auto | None = None, inputs: Mapping[str, str] | None = None
    ) -> UUID:
        given = {"data": "https://files.example/data.csv"} if inputs is None else dict(inputs)
        task = new_task(TaskType.AUTO, definition or Auto(), prompt="Clean it.", inputs=given)
        await tasks.create_task(self.database, task)
        return task.id

    async def think(
        self, task_id: UUID, turn: int = 1, seq: int = 0, *, run: int = 1, execution: str = "a"
    ) -> Thought:
        call = ThinkCall(task_id=task_id, run=run, turn=turn, seq=seq, routes=True)
        return await _within(execution, lambda: self.turns.make(call))

    async def choose(self, task_id: UUID, *answers: Act) -> Thought:
        """As the workflow does it: the turn that chooses."""
        self.server.answers(*answers)
        seq = 0
        for turn in range(1, len(answers) + 1):
            thought = await self.think(task_id, turn, seq)
            assert bool(thought.calls) == (turn == len(answers))
            seq = thought.seq
        return thought

    async def take(self, task_id: UUID, thought: Thought, execution: str = "a") -> RunStart:
        call = RouteCall(task_id=task_id, run=1, seq=thought.calls[0].seq, spent=SPENT)
        return await _within(execution, lambda: self.routes.take_route(call))

    async def route(self, definition: Auto, *answers: Act) -> tuple[Task, RunStart]:
        """The task as it is after these answers."""
        task_id = await self.task(definition)
        start = await self.take(task_id, await self.choose(task_id, *answers))
        return await self.row(task_id), start

    async def row(self, task_id: UUID) -> Task:
        async with self.database.reading(fresh=True) as connection:
            rows = await connection.execute(
                query("SELECT * FROM tasks WHERE id = :id"), {"id": task_id}
            )
            return Task.model_validate(dict(rows.mappings().one()))

    async def told(self, number: int = -1) -> str:
        """The last message that the model read in a request."""
        said = self.server.requests[number].body["messages"]
        return str(said[-1]["content"])


SPENT = Spent(turns=2, tokens=30, cost_usd=0.5, seconds=4.0, silent=1, digests=("d",))


async def _within(execution: str, run: Any) -> Any:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, workflow_run_id=execution)

    async def running() -> Any:
        return await run()

    return await environment.run(running)


@asynccontextmanager
async def working(database: Database, folder: Path) -> AsyncIterator[Router]:
    async with model_server() as server:
        models = Models(ModelOptions(("first",), server.url), TOKENS)
        try:
            equipped = equipment(database, BLOBS, folder, skills=SKILLS, models=models)
            given: Installed = installed(equipped)
            roles = roles_of(equipped, Toolbox(Registry(), database), given)
            yield Router(database, server, Turns(equipped, roles, TurnOptions()), Routes(given))
        finally:
            await models.close()


@pytest.fixture
async def router(database: Database, tmp_path: Path) -> AsyncIterator[Router]:
    async with working(database, tmp_path) as router:
        yield router


async def steps(router: Router, task_id: UUID) -> list[tuple[str, str, str]]:
    statement = "SELECT name, task_type, status FROM sub_tasks WHERE task_id = :id ORDER BY name"
    async with router.database.reading() as connection:
        rows = await connection.execute(query(statement), {"id": task_id})
        return [(row[0], row[1], row[2]) for row in rows]


async def messages(router: Router, task_id: UUID) -> int:
    statement = query("SELECT count(*) FROM messages WHERE task_id = :id")
    async with router.database.reading() as connection:
        return int(await connection.scalar(statement, {"id": task_id}) or 0)


async def test_a_task_becomes_an_agent_with_the_options_that_it_was_given(router: Router) -> None:
    agent = Agent(model="first", limits=Limits(turns=7))
    task, start = await router.route(Auto(agent=agent), creates("agent", "it is open"))
    assert (task.type, task.name, task.status) == (TaskType.AGENT, "Clean it.", Status.RUNNING)
    assert Agent.model_validate(task.definition) == agent
    assert start.workflow == "AgentWorkflow"
    assert start.input["limits"]["turns"] == 7  # type: ignore[index, call-overload]
    assert (start.input["turn"], start.input["seq"]) == (0, 0)


async def test_what_a_choice_took_counts_against_the_limits_of_what_follows(
    router: Router,
) -> None:
    _, start = await router.route(Auto(), creates("plan"))
    assert start.workflow == "PlanWorkflow"
    assert start.input["spent"] == Spent(tokens=30, cost_usd=0.5, seconds=4.0).model_dump(
        mode="json"
    )


async def test_a_task_becomes_a_plan_with_the_options_that_it_was_given(router: Router) -> None:
    plan = Plan(max_nodes=3)
    task, _ = await router.route(Auto(plan=plan), creates("plan", "it is big"))
    assert task.type is TaskType.PLAN
    assert Plan.model_validate(task.definition) == plan


async def test_the_limits_of_an_agent_hold_for_the_plan_that_is_chosen_instead(
    router: Router,
) -> None:
    limits, schema = Limits(tokens=5_000), {"type": "object"}
    given = Auto(agent=Agent(limits=limits, output_schema=schema))
    task, _ = await router.route(given, creates("plan"))
    plan = Plan.model_validate(task.definition)
    assert (plan.limits, plan.output_schema, plan.agent.output_schema) == (limits, schema, None)


async def test_a_task_becomes_a_pipeline_with_its_steps(router: Router) -> None:
    task, start = await router.route(Auto(), compiles(PIPELINE))
    assert (task.type, task.name) == (TaskType.PIPELINE, "clean-and-chart")
    assert await steps(router, task.id) == [
        ("chart", "skill", "pending"),
        ("clean", "skill", "pending"),
    ]
    assert start.workflow == "PipelineWorkflow"
    assert [step["id"] for step in start.input["steps"]] == [  # type: ignore[union-attr, call-overload, index]
        "clean",
        "chart",
    ]


async def test_the_skills_and_tools_that_a_choice_names_are_the_only_ones(router: Router) -> None:
    choice = creates("agent", skills=["csv-clean"], tools=["run_skill_script"])
    task, _ = await router.route(Auto(), choice)
    agent = Agent.model_validate(task.definition)
    assert (agent.skills, agent.tools) == (("csv-clean",), ("run_skill_script",))


async def test_a_route_says_why_and_its_tokens_stay_those_of_the_task(router: Router) -> None:
    task, _ = await router.route(Auto(), text("Hm."), creates("agent", "it is open"))
    assert task.route is not None
    assert task.route | {"duration_ms": 0} == {
        "requested": "auto",
        "type": "agent",
        "reason": "it is open",
        "tokens": 30,
        "cost_usd": 0,
        "turns": 2,
        "duration_ms": 0,
        "model": "first",
    }
    assert await messages(router, task.id) == 0
    details = await find_details(router.database, DEFAULT_TEAM, task.id)
    assert details is not None
    assert (details.usage.tokens_used, details.usage.turns) == (30, 2)
    assert details.summary.route is not None
    assert (details.summary.route.requested, details.summary.route.reason) == (
        "auto",
        "it is open",
    )


UNSOUND: Mapping[str, tuple[Act, tuple[str, ...]]] = {
    "prose": (text("I think it is an agent."), ("You called no tool", "create_task")),
    "a call written as text": (
        text('{"name": "create_task", "arguments": {"type": "agent"}}'),
        ("You called no tool", "even a call"),
    ),
    "half JSON": (asks(("create_task", '{"type": "agent", "rea')), ("not valid JSON",)),
    "an unknown tool": (asks(("make_plan", {})), ("make_plan", "create_task")),
    "two choices": (
        asks(
            ("create_task", {"type": "agent", "reason": "a"}),
            ("create_task", {"type": "plan", "reason": "b"}),
        ),
        ("Make exactly one",),
    ),
    "no reason": (asks(("create_task", {"type": "agent"})), ("/reason", "required")),
    "an unknown type": (creates("pipeline"), ("/type", "'agent' or 'plan'")),
    "an unknown skill": (
        creates("agent", skills=["csv-cleam"]),
        ("/skills/0", "Did you mean csv-clean?"),
    ),
    "an unknown tool of an agent": (
        creates("agent", tools=["read_fil"]),
        ("/tools/0", "Did you mean read_file?"),
    ),
    "a pipeline without steps": (
        compiles({"name": "p", "steps": []}),
        ("/pipeline/steps", "at least 1 item"),
    ),
    "several faults of one pipeline": (
        compiles(
            {**PIPELINE, "steps": [{**CLEAN, "skill": "cleam"}, {**CHART, "script": "no.py"}]}
        ),
        ("/pipeline/steps/0/skill", "/pipeline/steps/1/script"),
    ),
    "an input that the task does not have": (
        compiles(
            {"name": "p", "inputs": ["data", "x"], "steps": [{**CLEAN, "args": ["${inputs.x}"]}]}
        ),
        ("'x' is declared by the pipeline but not given", "'data' is used by no step"),
    ),
    "an input that no step uses": (
        compiles({"name": "p", "steps": [{**CLEAN, "args": []}]}),
        ("declares no input 'data'",),
    ),
    "a file of a later step": (
        compiles({**PIPELINE, "steps": [CHART, CLEAN]}),
        ("runs later",),
    ),
    "a hundred faults": (
        compiles({**PIPELINE, "steps": [{"id": f"s{n}", "skill": "none"} for n in range(100)]}),
        ("/pipeline/steps/7/skill", "more, at /pipeline/steps/8/skill"),
    ),
}


@pytest.mark.parametrize("name", UNSOUND)
async def test_an_unsound_answer_goes_back_with_what_is_wrong(router: Router, name: str) -> None:
    answer, words = UNSOUND[name]
    task_id = await router.task()
    thought = await router.choose(task_id, answer, creates("agent"))
    assert thought.calls[0].name == "create_task"
    told = await router.told()
    for word in words:
        assert word in told


@pytest.mark.parametrize(
    "name", ["prose", "half JSON", "two choices", "an unknown skill", "a file of a later step"]
)
async def test_a_task_becomes_an_agent_when_no_answer_is_sound_and_its_route_says_so(
    router: Router, name: str
) -> None:
    answer, words = UNSOUND[name]
    task, start = await router.route(Auto(), *[answer] * MAX_ANSWERS)
    assert (task.type, start.workflow) == (TaskType.AGENT, "AgentWorkflow")
    assert task.route is not None
    reason = task.route["reason"]
    assert "has chosen nothing in 3 answers" in reason
    assert words[0] in reason


async def test_a_task_with_too_few_turns_for_a_planner_becomes_no_plan(router: Router) -> None:
    given = Auto(agent=Agent(limits=Limits(turns=1)))
    task, _ = await router.route(given, creates("plan"), creates("agent"))
    assert task.type is TaskType.AGENT
    assert "/type: a plan takes 2 turns or more, and this task may take 1" in await router.told()


async def test_a_model_is_told_what_there_is_to_choose_from(router: Router) -> None:
    await router.choose(await router.task(), creates("agent"))
    [request] = router.server.requests
    system = request.body["messages"][0]["content"]
    for word in (
        "- data (",
        "<skill><name>csv-clean</name>",
        "- csv-clean: scripts/clean.py INPUT [-o clean.csv] [options]",
        "- write_file: ",
    ):
        assert word in system
    tools = [tool["function"]["name"] for tool in request.body["tools"]]
    assert tools == ["create_task", "compile_pipeline"]


NO_PIPELINE: Mapping[str, Auto] = {
    "its result must match a schema": Auto(agent=Agent(output_schema={"type": "object"})),
    "it may use no skill": Auto(agent=Agent(skills=())),
    "it may run no scripts": Auto(agent=Agent(tools=("write_file",))),
}


@pytest.mark.parametrize("name", NO_PIPELINE)
async def test_a_pipeline_is_not_offered_where_a_task_cannot_be_one(
    router: Router, name: str
) -> None:
    await router.choose(await router.task(NO_PIPELINE[name]), creates("agent"))
    [request] = router.server.requests
    assert [tool["function"]["name"] for tool in request.body["tools"]] == ["create_task"]
    assert "compile_pipeline" not in request.body["messages"][0]["content"]


async def permit(database: Database, tool: str, permission: Permission) -> None:
    async with database.writing() as connection:
        await connection.execute(
            query(
                """
                INSERT INTO tools (id, team_id, name, type, description, schema, config, is_active,
                                   permission_level)
                VALUES (gen_random_uuid(), :team, :name, 'NATIVE', '', '{}', '{}', true, :level)
                """
            ),
            {"team": DEFAULT_TEAM, "name": tool, "level": permission},
        )


async def forget(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(query("DELETE FROM tools"))


@pytest.mark.parametrize("permission", [Permission.ASK, Permission.DENY])
async def test_no_model_writes_a_step_that_a_person_has_to_approve_or_has_denied(
    router: Router, permission: Permission
) -> None:
    """Steps of pipelines ask nobody: they are approved by who writes them."""
    note = {"id": "note", "tool": "write_file", "args": {"name": "a", "text": "b"}}
    unsound = compiles({**PIPELINE, "steps": [CLEAN, CHART, note]})
    await permit(router.database, "write_file", permission)
    try:
        await router.choose(await router.task(), unsound, creates("agent"))
    finally:
        await forget(router.database)
    told = await router.told()
    assert "/pipeline/steps/2" in told
    assert ("approval" if permission is Permission.ASK else "may not") in told


async def test_a_pipeline_is_not_offered_where_scripts_need_approval(router: Router) -> None:
    await permit(router.database, "run_skill_script", Permission.ASK)
    try:
        await router.choose(await router.task(), creates("agent"))
    finally:
        await forget(router.database)
    [request] = router.server.requests
    assert [tool["function"]["name"] for tool in request.body["tools"]] == ["create_task"]


async def test_a_pipeline_has_no_skill_that_the_task_may_not_use(router: Router) -> None:
    task_id = await router.task(Auto(agent=Agent(skills=("csv-clean",))))
    await router.choose(task_id, compiles(PIPELINE), creates("agent"))
    assert "/pipeline/steps/1: the task may not run chart" in await router.told()


async def test_a_route_that_is_taken_again_gives_the_same_start_and_changes_nothing(
    router: Router,
) -> None:
    """As after a worker that died before the workflow went on."""
    task_id = await router.task()
    thought = await router.choose(task_id, compiles(PIPELINE))
    first = await router.take(task_id, thought)
    before = await router.row(task_id)
    assert await router.take(task_id, thought) == first
    assert await router.take(task_id, thought, execution="b") == first
    assert (await router.row(task_id)).model_dump() == before.model_dump()
    assert len(await steps(router, task_id)) == 2


@pytest.mark.parametrize("moved", ["ended", "retried", "reset"])
async def test_a_task_that_has_moved_on_takes_no_route(router: Router, moved: str) -> None:
    task_id = await router.task()
    thought = await router.choose(task_id, creates("agent"))
    execution = "b" if moved == "reset" else "a"
    if moved != "reset":
        close = TaskClose(
            task_id=task_id, team_id=DEFAULT_TEAM, run=1, status=Status.CANCELLED, failure=None
        )
        await tasks.close_task(router.database, close)
    if moved == "retried":
        await restart(router.database, task_id, 1, first_step=0, inputs={})
    with pytest.raises(ApplicationError) as raised:
        await router.take(task_id, thought, execution)
    assert (raised.value.type, raised.value.non_retryable) == (TaskMoved.code, True)
    assert (await router.row(task_id)).type is TaskType.AUTO


async def test_a_late_turn_of_a_router_changes_nothing_of_what_the_task_has_become(
    router: Router,
) -> None:
    """Neither that of the execution that has chosen, nor that of one that was reset since."""
    task_id = await router.task()
    thought = await router.choose(task_id, compiles(PIPELINE))
    await router.take(task_id, thought)
    for execution in ("a", "b"):
        with pytest.raises(TaskMoved):
            await router.think(task_id, execution=execution)
    late = Turn(task_id, 1, 1, 0, "a", routes=True)
    assert not await turns.end_turn(router.database, late, _ended(thought))
    assert len(await steps(router, task_id)) == 2
    assert await messages(router, task_id) == 0


async def test_an_agent_begins_a_conversation_of_its_own(router: Router) -> None:
    task_id = await router.task()
    await router.take(task_id, await router.choose(task_id, creates("agent")))
    router.server.answers(asks(("list_files", {})))
    call = ThinkCall(task_id=task_id, run=1, turn=1, seq=0)
    thought = await _within("b", lambda: router.turns.make(call))
    said = router.server.requests[-1].body["messages"]
    assert [item["role"] for item in said] == ["system", "user"]
    assert "create_task" not in json.dumps(said)
    assert thought.calls[0].name == "list_files"
    details = await find_details(router.database, DEFAULT_TEAM, task_id)
    assert details is not None
    assert (details.usage.tokens_used, details.usage.turns) == (30, 2)


async def test_no_turn_of_an_agent_begins_while_nobody_has_chosen(router: Router) -> None:
    call = ThinkCall(task_id=await router.task(), run=1, turn=1, seq=0)
    with pytest.raises(TaskMoved):
        await _within("a", lambda: router.turns.make(call))


async def test_the_choice_of_another_run_is_not_taken_for_that_of_this_one(
    router: Router,
) -> None:
    """A retry of a task that has failed while it was routed asks again."""
    task_id = await router.task()
    await router.choose(task_id, text("Hm."), creates("plan"))
    close = TaskClose(
        task_id=task_id, team_id=DEFAULT_TEAM, run=1, status=Status.CANCELLED, failure=None
    )
    await tasks.close_task(router.database, close)
    await restart(router.database, task_id, 1, first_step=0, inputs={})
    router.server.answers(creates("agent"))
    thought = await router.think(task_id, run=2, execution="b")
    call = RouteCall(task_id=task_id, run=2, seq=thought.calls[0].seq)
    start = await _within("b", lambda: router.routes.take_route(call))
    assert start.workflow == "AgentWorkflow"


def _ended(thought: Thought) -> turns.EndedTurn:
    """What a worker writes that Temporal had given up for lost."""
    usage = Usage(10, 5, is_estimate=False)
    answer = Answer("first", "Late.", (), usage, 0.0, 1, 2, "stop")
    messages = {1: ChatMessage("assistant", "Late.", turn=1)}
    return turns.EndedTurn(messages=messages, answer=answer, thought=thought)
