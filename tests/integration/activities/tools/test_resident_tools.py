"""The tools with which agents that stay reach each other, tasks, and themselves later."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import JsonValue
from sqlalchemy import text
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.begun.errors import MoreThanOwn, TooManyTasksBegun
from activities.colleagues.errors import (
    ChildrenNotTaken,
    ColleagueNotFound,
    MessageNotTaken,
    NotYourChild,
    OwnInbox,
    TooManyHops,
    WiderThanParent,
)
from activities.kinds.errors import TaskRefused
from activities.llm.base import ModelOptions
from activities.reminders.errors import ReminderNotFound, ReminderRefused
from activities.residents.errors import AgentDefinitionRefused, AgentNotCreated
from activities.store import tasks
from activities.store.audit import Actor
from activities.store.keys import create_team
from activities.store.new_residents import Made, NewResident, create_resident
from activities.store.reading.callers import ResidentCall
from activities.store.resident_trees import terminate_tree
from activities.store.tasks import NewTask
from activities.tools.context import AgentContext, ToolResult
from activities.tools.working_files import working_files
from deploy.local.services import Services
from tests.actors import SOMEBODY
from tests.integration.agent_desk import Desk, agent_desk
from workflows.definitions.resident import Resident, ResidentLimits
from workflows.errors import AgentOSError
from workflows.errors.tools import ToolArgumentsInvalid, WorkingFileNotFound
from workflows.resident_contracts import agent_workflow_id
from workflows.resident_states import ChildrenFate
from workflows.states import TaskType

SKILLS = ("count-words", "draw")


@pytest.fixture(scope="module")
def skills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("skills")
    for name in SKILLS:
        (folder / name / "scripts").mkdir(parents=True)
        (folder / name / "SKILL.md").write_text(f"---\nname: {name}\ndescription: x\n---\n")
        (folder / name / "scripts" / "run.py").write_text("print('ran')\n")
    return folder


@dataclass
class Stayer:
    """An agent that stays, at a desk, in an exchange."""

    desk: Desk
    id: UUID
    definition: Resident
    hops: int = 0
    parent_id: UUID | None = None

    @property
    def _resident(self) -> ResidentCall:
        return ResidentCall(
            agent_id=self.id,
            name="boss",
            parent_id=self.parent_id,
            depth=0,
            definition=self.definition,
            exchange_id=self.desk.task_id,
            hops=self.hops,
        )

    def context(self, call_id: UUID | None = None) -> AgentContext:
        given = self.desk.context()
        return replace(given, resident=self._resident, call_id=call_id or uuid4())

    async def call(
        self, tool: str, /, call_id: UUID | None = None, **arguments: JsonValue
    ) -> ToolResult:
        return await self.desk.toolbox.call(self.context(call_id), tool, arguments)

    async def done(self, tool: str, /, **arguments: JsonValue) -> str:
        result = await self.call(tool, **arguments)
        assert result.error is None, result.error
        return result.text

    async def refused(self, tool: str, /, **arguments: JsonValue) -> AgentOSError:
        result = await self.call(tool, **arguments)
        assert result.error is not None, result.text
        return result.error


@pytest.fixture
async def desk(
    infrastructure: Services, database_url: str, bucket: str, skills: Path
) -> AsyncIterator[Desk]:
    async with agent_desk(infrastructure, database_url, bucket, skills) as desk:
        models = ModelOptions(base_url="http://127.0.0.1:9/v1", api_key="x", models=("m",))
        known = replace(desk.equipment.installed, models=models)
        desk.equipment = replace(desk.equipment, installed=known)
        yield desk


@pytest.fixture
async def boss(desk: Desk) -> Stayer:
    return await boss_of(desk)


async def boss_of(desk: Desk, **definition: Any) -> Stayer:
    resident = Resident.model_validate(definition)
    agent_id = await make(desk, "boss", resident)
    notes = await desk.upload(b"one two")
    await exchange(desk, agent_id, desk.task_id, {"notes.txt": notes})
    return Stayer(desk, agent_id, resident)


async def make(desk: Desk, name: str, resident: Resident | None = None, **more: Any) -> UUID:
    definition = (resident or Resident()).model_dump(mode="json")
    actor = more.pop("actor", SOMEBODY)
    new = NewResident(id=uuid4(), name=name, definition=definition, **more)
    made = await create_resident(desk.database, actor, new, most=1_000)
    assert isinstance(made, Made)
    return made.id


async def exchange(desk: Desk, agent_id: UUID, task_id: UUID, inputs: Mapping[str, str]) -> None:
    task = NewTask(
        id=task_id,
        team_id=desk.team_id,
        parent_id=agent_id,
        type=TaskType.EXCHANGE,
        name="exchange",
        definition={"number": 1},
        inputs=inputs,
    )
    await tasks.create_task(desk.database, task)


async def rows(desk: Desk, query: str, **values: object) -> list[Any]:
    async with desk.database.reading(fresh=True) as connection:
        return [*(await connection.execute(text(query), values)).all()]


async def change(desk: Desk, statement: str, **values: object) -> None:
    async with desk.database.writing() as connection:
        await connection.execute(text(statement), values)


async def inbox(desk: Desk, name: str) -> list[Any]:
    return await rows(
        desk,
        "SELECT inbox.* FROM inbox JOIN agents ON agents.id = inbox.agent_id"
        " WHERE agents.name = :name ORDER BY seq",
        name=name,
    )


# Other agents.


async def test_a_child_is_made_once_with_its_instructions_however_often_the_call_is_made(
    desk: Desk, boss: Stayer
) -> None:
    call_id, wanted = uuid4(), {"name": "counter", "instructions": "Count.", "role": "counts"}
    first = await boss.call("create_agent", call_id, attachments=["notes.txt"], **wanted)
    again = await boss.call("create_agent", call_id, attachments=["notes.txt"], **wanted)
    assert first.error is None
    assert again.text == first.text
    [child] = await rows(desk, "SELECT * FROM agents WHERE name = 'counter'")
    assert (child.parent_id, child.depth) == (boss.id, 1)
    [message] = await inbox(desk, "counter")
    assert (message.kind, message.content, message.from_name) == ("message", "Count.", "boss")
    assert (message.from_agent_id, message.hops) == (boss.id, 1)
    assert list(message.attachments) == ["notes.txt"]
    assert message.attachments["notes.txt"].startswith("file:")


async def test_a_child_has_the_limits_and_means_of_its_parent(desk: Desk) -> None:
    limits = ResidentLimits(turns=7, daily_tokens=1_000, hops=3, children=2)
    boss = await boss_of(desk, limits=limits, skills=SKILLS, tools=["create_agent"], model="m")
    await boss.done("create_agent", name="all", instructions="x")
    await boss.done("create_agent", name="less", instructions="x", skills=["draw"], tools=[])
    found = await rows(desk, "SELECT name, definition FROM agents WHERE depth = 1")
    children = {row.name: Resident.model_validate(row.definition) for row in found}
    assert {child.limits for child in children.values()} == {limits}
    assert (children["all"].skills, children["all"].tools) == (SKILLS, ("create_agent",))
    assert (children["less"].skills, children["less"].tools) == (("draw",), ())
    assert children["less"].model == "m"


@pytest.mark.parametrize("wider", [{"skills": ["draw"]}, {"tools": ["run_code"]}])
async def test_a_child_has_no_more_than_its_parent(desk: Desk, wider: Any) -> None:
    boss = await boss_of(desk, skills=["count-words"], tools=["create_agent", "read_file"])
    error = await boss.refused("create_agent", name="counter", instructions="x", **wider)
    assert isinstance(error, WiderThanParent)
    await boss.done("create_agent", name="counter", instructions="x", tools=["read_file"])


async def test_children_are_limited_in_number_and_depth(desk: Desk) -> None:
    boss = await boss_of(desk, limits={"children": 1})
    await boss.done("create_agent", name="one", instructions="x")
    error = await boss.refused("create_agent", name="two", instructions="x")
    assert isinstance(error, AgentNotCreated)
    assert "as many as it may" in str(error)
    await change(desk, "UPDATE agents SET depth = 2 WHERE name = 'one'")
    [one] = await rows(desk, "SELECT id FROM agents WHERE name = 'one'")
    deep = Stayer(desk, one.id, Resident(), parent_id=boss.id)
    assert "levels at most" in str(await deep.refused("create_agent", name="3", instructions="x"))


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        ({"name": "user", "instructions": "x"}, ToolArgumentsInvalid),
        ({"name": "a", "instructions": " "}, ToolArgumentsInvalid),
        ({"name": "boss", "instructions": "x"}, AgentNotCreated),
        ({"name": "a", "instructions": "x", "skills": ["nothing"]}, AgentDefinitionRefused),
        ({"name": "a", "instructions": "x", "attachments": ["no.csv"]}, WorkingFileNotFound),
    ],
    ids=["reserved name", "no words", "name taken", "no such skill", "no such file"],
)
async def test_a_child_that_cannot_be_is_refused_whole(
    desk: Desk, boss: Stayer, wanted: Any, kind: type[AgentOSError]
) -> None:
    assert isinstance(await boss.refused("create_agent", **wanted), kind)
    assert len(await rows(desk, "SELECT id FROM agents")) == 1


async def test_a_message_is_sent_once_however_often_the_call_is_made(
    desk: Desk, boss: Stayer
) -> None:
    other = await make(desk, "other")
    boss.hops = 4
    call_id = uuid4()
    for _ in range(2):
        result = await boss.call(
            "send_message", call_id, to="other", content="Hello.", attachments=["notes.txt"]
        )
        assert result.error is None
    await boss.done("send_message", to=str(other), content="And this.")
    first, second = await inbox(desk, "other")
    assert (first.content, second.content) == ("Hello.", "And this.")
    assert (first.from_agent_id, first.hops) == (boss.id, 5)
    assert list(first.attachments) == ["notes.txt"]


async def test_a_chain_of_messages_between_agents_comes_to_an_end(desk: Desk) -> None:
    boss = await boss_of(desk, limits={"hops": 2})
    await make(desk, "other")
    boss.hops = 2
    for wanted in ({"to": "other", "content": "x"}, {"name": "a", "instructions": "x"}):
        tool = "send_message" if "to" in wanted else "create_agent"
        assert isinstance(await boss.refused(tool, **wanted), TooManyHops)
    assert await inbox(desk, "other") == []
    assert await rows(desk, "SELECT id FROM agents WHERE name = 'a'") == []


async def test_a_message_goes_to_another_living_agent_of_the_team_only(
    desk: Desk, boss: Stayer
) -> None:
    await make(desk, "gone")
    await change(desk, "UPDATE agents SET terminated_at = now() WHERE name = 'gone'")
    stranger = Actor(await create_team(desk.database, "others"), "stranger")
    foreign = await make(desk, "foreign", actor=stranger)
    refused = {
        "boss": OwnInbox,
        str(boss.id): OwnInbox,
        "bosss": ColleagueNotFound,
        "foreign": ColleagueNotFound,
        str(foreign): ColleagueNotFound,
        "gone": MessageNotTaken,
    }
    for name, kind in refused.items():
        error = await boss.refused("send_message", to=name, content="x")
        assert type(error) is kind, name
    assert await rows(desk, "SELECT id FROM inbox") == []


async def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(
    desk: Desk, boss: Stayer
) -> None:
    await make(desk, "librarian")
    error = await boss.refused("send_message", to="libarian", content="x")
    assert "Did you mean 'librarian'?" in str(error)


async def test_an_agent_sees_who_is_there_and_what_they_are_to_it(desk: Desk) -> None:
    boss = await boss_of(desk)
    boss.parent_id = await make(desk, "parent")
    await change(
        desk, "UPDATE agents SET parent_id = :p WHERE id = :b", p=boss.parent_id, b=boss.id
    )
    await make(desk, "child", parent_id=boss.id)
    await make(desk, "aside", Resident.model_validate({"profile": {"role": "reads"}}))
    await make(desk, "foreign", actor=Actor(await create_team(desk.database, "others"), "x"))
    listed = json.loads(await boss.done("list_agents"))
    assert [(each["name"], each["is"]) for each in listed] == [
        ("boss", "you"),
        ("parent", "your parent"),
        ("child", "your child"),
        ("aside", "of your team"),
    ]
    assert listed[3] == {"name": "aside", "role": "reads", "state": "idle", "is": "of your team"}


async def test_the_list_of_agents_is_bounded(desk: Desk, boss: Stayer) -> None:
    await change(
        desk,
        """
        INSERT INTO agents (id, team_id, name, depth, definition, message_seq, told_seq, exchanges)
        SELECT gen_random_uuid(), team_id, 'a' || n, 0, '{}', 0, 0, 0
        FROM agents, generate_series(1, 150) AS n WHERE name = 'boss'""",
    )
    listed, more = (await boss.done("list_agents")).splitlines()
    assert len(json.loads(listed)) == 100
    assert more == "51 more agents are not listed."


async def test_an_agent_terminates_no_others_than_its_children(desk: Desk, boss: Stayer) -> None:
    await make(desk, "other")
    assert isinstance(await boss.refused("terminate_agent", name="other"), NotYourChild)
    assert isinstance(await boss.refused("terminate_agent", name="boss"), NotYourChild)
    assert await rows(desk, "SELECT id FROM agents WHERE terminated_at IS NOT NULL") == []


async def test_an_agent_takes_no_more_children_over_than_it_may_have(
    desk: Desk, boss: Stayer
) -> None:
    child = await make(desk, "child", parent_id=boss.id)
    for number in range(2):
        await make(desk, f"grandchild {number}", parent_id=child)
    limits = '{"limits": {"children": 1}}'
    await change(desk, f"UPDATE agents SET definition = '{limits}' WHERE name = 'boss'")
    wanted = {"name": "child", "children": "hand_over"}
    assert isinstance(await boss.refused("terminate_agent", **wanted), ChildrenNotTaken)
    assert await rows(desk, "SELECT id FROM agents WHERE terminated_at IS NOT NULL") == []


async def test_a_child_is_terminated_with_those_below_it_and_what_they_do_is_stopped(
    desk: Desk, boss: Stayer, infrastructure: Services
) -> None:
    child = await make(desk, "child", parent_id=boss.id)
    await make(desk, "grandchild", parent_id=child)
    client = await Client.connect(infrastructure.temporal_address)
    handle = await client.start_workflow(
        "AnyWorkflow", id=agent_workflow_id(child), task_queue=f"nobody-{child}"
    )
    environment = ActivityEnvironment(client)
    told = [await environment.run(boss.done, "terminate_agent", name="child") for _ in range(2)]
    assert told == [
        "Agent child is terminated, and 1 below it.",
        "Agent child is terminated already.",
    ]
    alive = await rows(desk, "SELECT name FROM agents WHERE terminated_at IS NULL")
    assert [row.name for row in alive] == ["boss"]
    history = await handle.fetch_history()
    kinds = [EventType.Name(event.event_type) for event in history.events]
    await handle.terminate()
    assert "EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED" in kinds


async def test_a_call_that_was_lost_after_the_rows_stops_what_is_done_when_it_is_repeated(
    desk: Desk, boss: Stayer, infrastructure: Services
) -> None:
    child = await make(desk, "child", parent_id=boss.id)
    grandchild = await make(desk, "grandchild", parent_id=child)
    client = await Client.connect(infrastructure.temporal_address)
    handle = await client.start_workflow(
        "AnyWorkflow", id=agent_workflow_id(grandchild), task_queue=f"nobody-{grandchild}"
    )
    await terminate_tree(desk.database, SOMEBODY, child, children=ChildrenFate.TERMINATE)
    await ActivityEnvironment(client).run(boss.done, "terminate_agent", name="child")
    history = await handle.fetch_history()
    kinds = [EventType.Name(event.event_type) for event in history.events]
    await handle.terminate()
    assert "EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED" in kinds


# Tasks.

COUNT = {
    "name": "count",
    "inputs": ["text"],
    "steps": [{"id": "count", "skill": "count-words", "args": ["${inputs.text}"]}],
}


async def test_a_task_is_begun_once_however_often_the_call_is_made(
    desk: Desk, boss: Stayer
) -> None:
    call_id = uuid4()
    given = {"type": "pipeline", "pipeline": COUNT, "inputs": {"text": "notes.txt"}}
    first = await boss.call("start_task", call_id, **given)
    assert first.error is None, first.error
    # What was fine then may be gone by now.
    again = await boss.call("start_task", call_id, type="pipeline")
    assert again.text == first.text
    [task] = await rows(desk, "SELECT * FROM tasks WHERE agent_id IS NOT NULL")
    assert (task.agent_id, task.type, task.status) == (boss.id, "pipeline", "pending")
    assert task.inputs["text"].startswith("file:")
    assert str(task.id) in first.text


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({}, "/prompt"),
        ({"type": "pipeline", "prompt": "x"}, "needs a pipeline"),
        ({"pipeline": {"name": "x"}}, "/pipeline/steps"),
        ({"pipeline": {**COUNT, "steps": [{"id": "a", "skill": "none"}]}}, "/pipeline/steps/0"),
        ({"pipeline": COUNT}, "text"),
        ({"prompt": "x", "inputs": {"a": f"artifact:{uuid4()}"}}, "/inputs/a"),
    ],
    ids=["nothing", "no pipeline", "no steps", "no such skill", "input missing", "foreign file"],
)
async def test_a_task_that_is_wrong_is_given_back_with_what_is_wrong(
    desk: Desk, boss: Stayer, wanted: Any, reason: str
) -> None:
    error = await boss.refused("start_task", **wanted)
    assert isinstance(error, TaskRefused)
    assert reason in str(error)
    assert await rows(desk, "SELECT id FROM tasks WHERE agent_id IS NOT NULL") == []


async def test_no_task_is_begun_as_an_exchange_or_with_files_that_are_not_there(
    boss: Stayer,
) -> None:
    error = await boss.refused("start_task", type="exchange", prompt="x")
    assert isinstance(error, ToolArgumentsInvalid)
    error = await boss.refused("start_task", prompt="x", inputs={"a": "no.csv"})
    assert isinstance(error, WorkingFileNotFound)


async def test_a_task_uses_no_more_than_the_agent_that_begins_it(desk: Desk) -> None:
    boss = await boss_of(desk, skills=["draw"], tools=["start_task", "read_file"])
    code = {"name": "x", "steps": [{"id": "a", "code": {"language": "shell", "source": "id"}}]}
    tool = {"name": "x", "steps": [{"id": "a", "tool": "write_file", "args": {}}]}
    for wanted in (
        {"pipeline": COUNT, "inputs": {"text": "notes.txt"}},
        {"pipeline": code},
        {"pipeline": tool},
        {"type": "agent", "prompt": "x", "agent": {"skills": ["count-words"]}},
        {"type": "plan", "prompt": "x", "plan": {"agent": {"tools": ["run_code"]}}},
    ):
        assert isinstance(await boss.refused("start_task", **wanted), MoreThanOwn), wanted
    for wanted in ({"prompt": "x"}, {"type": "plan", "prompt": "x"}):
        await boss.done("start_task", **wanted)
    auto, plan = await rows(
        desk, "SELECT definition FROM tasks WHERE agent_id IS NOT NULL ORDER BY created_at"
    )
    means = {"skills": ["draw"], "tools": ["start_task", "read_file"]}
    assert auto.definition["agent"] == means
    assert plan.definition["agent"] == means


async def test_an_agent_has_no_more_tasks_at_once_than_it_may(desk: Desk, boss: Stayer) -> None:
    await boss.done("start_task", prompt="x")
    await change(
        desk,
        """
        INSERT INTO tasks (id, team_id, type, name, priority, status, inputs, run, first_step,
                           event_seq, agent_id)
        SELECT gen_random_uuid(), team_id, type, name, priority, status, inputs, run, first_step,
               event_seq, agent_id
        FROM tasks, generate_series(1, 99) WHERE agent_id IS NOT NULL""",
    )
    assert isinstance(await boss.refused("start_task", prompt="x"), TooManyTasksBegun)
    await change(desk, "UPDATE tasks SET status = 'completed' WHERE agent_id IS NOT NULL")
    await boss.done("start_task", prompt="x")


async def test_an_agent_finds_the_files_of_its_tasks_and_of_earlier_exchanges(
    desk: Desk, boss: Stayer
) -> None:
    for call in ("first.txt", "both.txt"):
        result = await desk.call("write_file", name=call, text="old")
        assert result.error is None
    old = dict(desk.made)
    desk.task_id = uuid4()
    await exchange(desk, boss.id, desk.task_id, {})
    await desk.call("write_file", name="both.txt", text="new")
    text = await boss.done("start_task", prompt="x")
    [task] = await rows(desk, "SELECT id FROM tasks WHERE agent_id IS NOT NULL")
    assert str(task.id) in text
    await change(
        desk,
        "UPDATE task_artifacts SET task_id = :task WHERE id = :file",
        task=task.id,
        file=old["first.txt"],
    )
    found = await working_files(desk.database, desk.task_id, desk.team_id)
    assert {file.name for file in found.files} == {"notes.txt", "first.txt", "both.txt"}
    assert found.find("both.txt").id == desk.made["both.txt"] != old["both.txt"]
    assert found.find(f"artifact:{old['both.txt']}").name == "both.txt"
    assert await boss.done("read_file", file="notes.txt") == "one two"
    assert await boss.done("read_file", file="first.txt") == "old"
    await change(desk, "UPDATE tasks SET deleted_at = now() WHERE agent_id IS NOT NULL")
    found = await working_files(desk.database, desk.task_id, desk.team_id)
    assert {file.name for file in found.files} == {"notes.txt", "both.txt"}


# Reminders.


async def test_a_reminder_is_set_once_however_often_the_call_is_made(
    desk: Desk, boss: Stayer
) -> None:
    call_id = uuid4()
    for _ in range(2):
        result = await boss.call("remind_me", call_id, text="water", every="1h")
        assert result.error is None, result.error
    [reminder] = await rows(desk, "SELECT * FROM reminders")
    assert (reminder.agent_id, reminder.every_seconds) == (boss.id, 3_600.0)
    listed = await boss.done("list_reminders")
    assert f"{str(reminder.id)[:8]}: " in listed
    assert "then every 3600s: water" in listed
    await boss.done("cancel_reminder", reminder=str(reminder.id)[:8])
    assert await boss.done("list_reminders") == "You have no reminders."
    error = await boss.refused("cancel_reminder", reminder=str(reminder.id))
    assert isinstance(error, ReminderNotFound)


@pytest.mark.parametrize(
    ("wanted", "kind", "reason"),
    [
        ({}, ReminderRefused, "give at, after or every"),
        ({"at": "2999-01-01T00:00:00Z", "after": "1m"}, ReminderRefused, "one of at and after"),
        ({"after": "1m", "until": "2999-01-01T00:00:00Z"}, ReminderRefused, "give every"),
        ({"at": "2030-01-01T00:00:00"}, ToolArgumentsInvalid, "which clock"),
        ({"at": "tomorrow"}, ToolArgumentsInvalid, "date and time"),
        ({"at": "20300101"}, ToolArgumentsInvalid, "date and time"),
        ({"after": "soon"}, ToolArgumentsInvalid, "not a duration"),
        ({"after": "0s"}, ToolArgumentsInvalid, "out of range"),
        ({"every": "30s"}, ReminderRefused, "every 60s"),
        ({"after": "30s"}, ReminderRefused, "after 60s"),
        ({"after": "1m", "text": " "}, ToolArgumentsInvalid, "text"),
    ],
    ids=[
        "never",
        "twice",
        "until",
        "no clock",
        "words",
        "date",
        "soon",
        "0s",
        "often",
        "at once",
        "blank",
    ],
)
async def test_a_reminder_that_is_wrong_is_given_back_with_what_is_wrong(
    desk: Desk, boss: Stayer, wanted: Any, kind: type[AgentOSError], reason: str
) -> None:
    error = await boss.refused("remind_me", **{"text": "water", **wanted})
    assert isinstance(error, kind)
    assert reason in str(error)
    assert await rows(desk, "SELECT id FROM reminders") == []
