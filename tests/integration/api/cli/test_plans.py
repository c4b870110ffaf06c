"""The commands for plans, against a true API and against one that answers as it is told."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import yaml

from activities.store.approvals import Approval
from activities.store.keys import DEFAULT_TEAM
from activities.store.tables import ExecutionLog, SubTask
from deploy.local.services import Services
from tests.integration.agent_stage import agent_stage
from tests.integration.api_stage import Stage
from tests.integration.cli_runs import agentos, start
from tests.integration.cli_server import (
    TASK_ID,
    a_task,
    document,
    serving,
    stream,
)
from tests.integration.plan_rows import START, PlanRows, a_node, a_plan
from workflows.contracts import Failure
from workflows.states import Status

TWO = (a_node("clean", size="large"), a_node("report", "clean", description="Write it."))
FAILURE = Failure(code="script-failed", message="It failed.").model_dump(exclude_none=True)
CHILD = UUID(int=77)
NODES = [
    {"id": "clean", "title": "Do clean", "kind": "agent", "depends_on": []},
    {"id": "report", "title": "Do report", "kind": "agent", "depends_on": ["clean"]},
]
EVENTS = (
    (1, "task.status", {"status": "pending"}),
    (2, "plan.opened", {"seq": 4, "nodes": NODES}),
    (3, "node.started", {"node": "clean", "task_id": str(CHILD), "number": 1}),
    (4, "node.ended", {"node": "clean", "status": "completed"}),
    (5, "task.status", {"status": "completed"}),
)


@pytest.fixture(scope="module")
async def cli_stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    async with agent_stage(infrastructure, skills_folder, sweep_interval_seconds=3_600) as stage:
        yield stage


async def _waiting(stage: Stage) -> tuple[PlanRows, Approval]:
    plan = await a_plan(stage.database, status=Status.WAITING)
    now = datetime.now(UTC)
    asked = Approval(id=uuid4(), kind="approval", asked_at=now, expires_at=now + timedelta(hours=1))
    await plan.call(TWO, Status.WAITING, approval=asked)
    return plan, asked


# Submitting.


async def test_every_option_becomes_part_of_the_plan(cli_stage: Stage, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object"}')
    words = (
        *("submit", "plan", "Profile both.", "--atomicity", "relaxed", "--max-nodes", "6"),
        *("--parallel", "2", "--depth", "2", "--replans", "0", "--approve"),
        *("--skill", "greet", "--tool", "read_file", "--model", "m-1", "--schema", str(schema)),
        *("--tokens", "900", "--seconds", "60", "--priority", "7"),
    )
    printed = await agentos(cli_stage.url, *words)
    assert printed.code == 0, printed.stderr
    task = await cli_stage.task(printed.stdout.strip())
    assert task["definition"] == {
        "atomicity": "relaxed",
        "max_nodes": 6,
        "parallel": 2,
        "depth": 2,
        "replans": 0,
        "approve": True,
        "agent": {"skills": ["greet"], "tools": ["read_file"], "model": "m-1"},
        "limits": {"tokens": 900, "seconds": 60.0},
        "output_schema": {"type": "object"},
    }
    assert (task["type"], task["prompt"], task["priority"]) == ("plan", "Profile both.", 7)
    await cli_stage.http.post(f"/tasks/{task['task_id']}/cancel")


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("--max-nodes", "51"), "/max_nodes"),
        (("--parallel", "0"), "/parallel"),
        (("--depth", "4"), "/depth"),
        (("--replans", "-1"), "/replans"),
        (("--tokens", "0"), "/limits/tokens"),
        (("--skill", ""), "/agent/skills/0"),
    ],
)
async def test_a_bad_plan_is_refused_before_anything_is_sent(
    words: tuple[str, ...], place: str
) -> None:
    async with serving() as server:
        printed = await agentos(server.url, "submit", "plan", "x", *words)
        assert (printed.code, server.asked) == (2, [])
        assert place in printed.stderr


# Showing.


async def test_a_plan_is_drawn_with_the_states_of_its_nodes(cli_stage: Stage) -> None:
    plan = await a_plan(cli_stage.database, limits={"tokens": 5_000})
    await plan.call(TWO)
    await plan.node(TWO[0], 1, Status.COMPLETED)
    await plan.node(TWO[1], 2, Status.FAILED, error=FAILURE)
    await plan.revise("The file was empty.", drop=["report"])
    await plan.speak(plan.id, 3, 100, cost_usd=0.0)
    await plan.be(2, Status.RUNNING, 0)
    await plan.be(3, Status.BLOCKED, 65)
    printed = await agentos(cli_stage.url, "show", str(plan.id))
    assert printed.code == 0, printed.stderr
    shown = printed.stdout.split("Nodes\n")[1]
    assert [line.rstrip() for line in shown.splitlines()[:3]] == [
        "  Both can be done side by side.",
        "  ✓ clean      Do clean · 3.0s",
        "  └─ ✗ report  Do report · 3.0s  It failed.",
    ]
    assert "revision 1: The file was empty." in shown
    assert "    dropped report" in shown
    assert "used 100 tokens in 1m 05s of work (estimate: 5,000 tokens, 1h 00m)" in shown
    as_json = await agentos(cli_stage.url, "show", str(plan.id), "-o", "json")
    assert json.loads(as_json.stdout) == await cli_stage.task(str(plan.id))


async def test_a_node_that_waits_for_a_person_says_where_to_answer(cli_stage: Stage) -> None:
    plan = await a_plan(cli_stage.database)
    await plan.node(TWO[0], 1, Status.RUNNING, child_status=Status.WAITING)
    printed = await agentos(cli_stage.url, "show", str(plan.id))
    assert f"waits for you: agentos approvals {plan.id}/clean" in printed.stdout
    assert (await agentos(cli_stage.url, "approvals", f"{plan.id}/clean")).code == 0


async def test_a_node_is_named_by_its_plan_and_its_name(cli_stage: Stage) -> None:
    plan = await a_plan(cli_stage.database)
    child = await plan.node(TWO[0], 1, Status.RUNNING)
    await plan.node(TWO[1], 2)
    printed = await agentos(cli_stage.url, "show", f"{str(plan.id)[:10]}/clean")
    assert str(child) in printed.stdout
    assert f"Node of    {plan.id}" in printed.stdout
    unknown = await agentos(cli_stage.url, "show", f"{plan.id}/report")
    assert unknown.code == 5
    assert "no node 'report' that has begun" in unknown.stderr
    for node in ("1", str(child), str(child)[:6]):
        printed = await agentos(cli_stage.url, "show", f"{plan.id}/{node}")
        assert f"Task       {child}" in printed.stdout, printed.stderr
    for node in ("2", "3", str(child)[:5], "ffffff"):
        assert (await agentos(cli_stage.url, "show", f"{plan.id}/{node}")).code == 5
    listed = await agentos(cli_stage.url, "ls", "--parent", str(plan.id), "-o", "json")
    assert [item["task_id"] for item in json.loads(listed.stdout)["items"]] == [str(child)]
    whole = await agentos(cli_stage.url, "ls", "--all")
    assert str(child) not in whole.stdout
    assert str(plan.id) in whole.stdout


async def test_an_id_that_begins_with_digits_only_names_its_node_too(cli_stage: Stage) -> None:
    plan, child = await a_plan(cli_stage.database), UUID(f"253322{uuid4().hex[6:]}")
    await plan.node(TWO[0], 1, Status.RUNNING, child_id=child)
    printed = await agentos(cli_stage.url, "show", f"{plan.id}/253322")
    assert f"Task       {child}" in printed.stdout, printed.stderr


async def _print_in(plan: PlanRows, node: str, text: str) -> None:
    """Have a call of a node's task print something."""
    task_id, call_id = plan.children[node], uuid4()
    values: dict[str, Any] = {"team_id": DEFAULT_TEAM, "task_id": task_id}
    call = SubTask(
        id=call_id,
        name="1.1 run_code",
        task_type="code",
        status=Status.COMPLETED,
        dependencies=[],
        input_context={},
        execution_order=4,
        **values,
    )
    attempt = ExecutionLog(
        id=uuid4(),
        sub_task_id=call_id,
        run=1,
        attempt=1,
        status=Status.COMPLETED,
        stdout=text,
        started_at=START,
        **values,
    )
    await plan.add(call, attempt)


async def test_the_log_of_a_plan_is_that_of_its_nodes(cli_stage: Stage) -> None:
    plan = await a_plan(cli_stage.database)
    await plan.node(TWO[0], 1, Status.COMPLETED)
    await plan.node(TWO[1], 2, Status.COMPLETED)
    await _print_in(plan, "clean", "ten rows\n")
    await _print_in(plan, "report", "done\n")
    of_all = await agentos(cli_stage.url, "logs", str(plan.id))
    assert of_all.stdout == "clean/1.1 run_code | ten rows\nreport/1.1 run_code | done\n"
    of_node = await agentos(cli_stage.url, "logs", str(plan.id), "--step", "report")
    assert of_node.stdout == "1.1 run_code | done\n"
    of_call = await agentos(cli_stage.url, "logs", str(plan.id), "--step", "report/1.1 run_code")
    assert of_call.stdout == "done\n"
    for step, known in (("nope", "clean, report"), ("report/nope", "1.1 run_code")):
        printed = await agentos(cli_stage.url, "logs", str(plan.id), "--step", step)
        assert (printed.code, printed.stdout) == (5, "")
        assert f"no step 'nope'. It has: {known}." in printed.stderr
    listed = await agentos(cli_stage.url, "logs", str(plan.id), "-o", "json")
    assert [item["step"] for item in json.loads(listed.stdout)["items"]] == [
        "clean/1.1 run_code",
        "report/1.1 run_code",
    ]


async def test_the_log_of_a_node_is_followed_from_when_it_begins() -> None:
    printing = (
        (1, "step.started", {"step": "1.1 run_code", "attempt": 1}),
        (2, "step.output", {"step": "1.1 run_code", "stream": "stdout", "text": "ten rows\n"}),
        (3, "task.status", {"status": "completed"}),
    )
    async with serving() as server:
        server.tell(f"GET /tasks/{TASK_ID}/events", stream(EVENTS))
        server.tell(f"GET /tasks/{CHILD}/events", stream(printing))
        for each in (TASK_ID, CHILD):
            server.tell(f"GET /tasks/{each}", document(a_task()))
        printed = await agentos(server.url, "logs", "-f", str(TASK_ID))
        assert (printed.code, printed.stdout) == (0, "clean/1.1 run_code | ten rows\n")
        printed = await agentos(server.url, "logs", "-f", str(TASK_ID), "--step", "clean")
        assert printed.stdout == "1.1 run_code | ten rows\n"
        printed = await agentos(server.url, "logs", "-f", str(TASK_ID), "--step", "report")
        assert (printed.code, printed.stdout) == (0, "")
        printed = await agentos(server.url, "logs", "-f", str(TASK_ID), "--step", "nope")
        assert printed.code == 5
        assert "has had no step 'nope'. It has had: clean, report." in printed.stderr


@pytest.mark.parametrize("terminal", [False, True])
async def test_a_plan_is_watched_to_its_end(terminal: bool) -> None:
    result = {"summary": "All is clean.", "result": None, "files": []}
    ended = a_task(type="plan", status="completed", sub_tasks=[], result=result, name="both")
    async with serving() as server:
        server.tell(f"GET /tasks/{TASK_ID}", document(ended))
        server.tell(f"GET /tasks/{TASK_ID}/events", stream(EVENTS))
        term = {"TERM": "xterm-256color"} if terminal else {}
        running = await start(server.url, "watch", str(TASK_ID), terminal=terminal, **term)
        printed = await running.end()
        assert printed.code == 0
        assert re.search(r"both (\x1b\[[0-9;]*m)*completed in", printed.stderr)
        assert "1/2 nodes" in printed.stderr
        assert "All is clean." in printed.stderr
        if terminal:
            assert "└─ " in printed.stderr
        else:
            assert "plan: report (agent), after clean: Do report" in printed.stderr
            assert "clean: completed after" in printed.stderr


# Approving.


async def test_a_plan_that_waits_is_shown_with_the_commands_that_answer_it(
    cli_stage: Stage,
) -> None:
    plan, asked = await _waiting(cli_stage)
    for words in (("show", str(plan.id)), ("plan", str(plan.id)), ("approvals", str(plan.id))):
        printed = await agentos(cli_stage.url, *words)
        assert printed.code == 0, printed.stderr
        assert "  └─ · report  Do report" in printed.stdout
        for command in (
            f"agentos approve {plan.id} {str(asked.id)[:8]}",
            f"agentos deny {plan.id} {str(asked.id)[:8]} --note",
            f"agentos plan {plan.id} -o plan.yaml",
        ):
            assert command in printed.stdout


async def test_a_plan_is_edited_in_a_file_and_approved(cli_stage: Stage, tmp_path: Path) -> None:
    plan, asked = await _waiting(cli_stage)
    file = tmp_path / "plan.yaml"
    written = await agentos(cli_stage.url, "plan", str(plan.id), "-o", str(file))
    assert (written.code, written.stdout) == (0, "")
    content = yaml.safe_load(file.read_text())
    assert content == {
        "nodes": [
            {"id": "clean", "title": "Do clean", "description": "Do clean.", "size": "large"},
            {
                "id": "report",
                "title": "Do report",
                "description": "Write it.",
                "depends_on": ["clean"],
            },
        ]
    }
    content["nodes"][1]["title"] = "Only a table"
    file.write_text(yaml.safe_dump(content))
    words = ("approve", str(plan.id), str(asked.id)[:8], "--nodes", str(file))
    printed = await agentos(cli_stage.url, *words)
    assert (printed.code, printed.stdout) == (0, "1.1 make_plan  approved\n"), printed.stderr
    # To type it again changes nothing.
    for again in (
        words,
        ("approve", str(plan.id), "1.1"),
        ("approve", str(plan.id), "1.1 make_plan"),
    ):
        printed = await agentos(cli_stage.url, *again)
        assert (printed.code, printed.stdout) == (0, "1.1 make_plan  approved\n"), printed.stderr
    other = await agentos(cli_stage.url, "deny", str(plan.id), str(asked.id)[:8])
    assert (other.code, "already approved" in other.stderr) == (2, True)
    shown = (await cli_stage.http.get(f"/tasks/{plan.id}/plan")).json()
    assert [node["title"] for node in shown["nodes"]] == ["Do clean", "Only a table"]
    drawn = (await agentos(cli_stage.url, "plan", str(plan.id))).stdout
    assert drawn.startswith("  A person has edited the nodes.\n")
    assert "side by side" not in drawn


async def test_problems_of_edited_nodes_are_printed_with_their_places(
    cli_stage: Stage, tmp_path: Path
) -> None:
    plan, _ = await _waiting(cli_stage)
    file = tmp_path / "plan.json"
    file.write_text('[{"id": "a", "title": "A", "description": "x", "depends_on": ["b"]}]')
    printed = await agentos(cli_stage.url, "approve", str(plan.id), "--nodes", str(file))
    assert printed.code == 2
    assert "/nodes/0/depends_on/0" in printed.stderr
    assert "there is no node 'b'" in printed.stderr
    assert "The decision is not valid. Nothing was decided." in printed.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("nodes: 3", "holds no nodes"),
        ("a: b", "holds no nodes"),
        ("{", "holds no nodes"),
        ("- {id: a}", "plan.yaml:1:3: the field title is required"),
        ("- {id: a, title: A, colour: red}", "plan.yaml:1:21: unknown field colour"),
        ("- {id: A b, title: A}", "plan.yaml:1:4: "),
    ],
)
async def test_a_file_without_sound_nodes_is_refused_before_anything_is_sent(
    tmp_path: Path, content: str, reason: str
) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(content)
    async with serving() as server:
        printed = await agentos(server.url, "approve", str(TASK_ID), "--nodes", str(file))
        assert (printed.code, server.asked) == (2, [])
        assert reason in printed.stderr
        assert ".." not in printed.stderr


async def test_a_file_of_nodes_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    async with serving() as server:
        nowhere = ("approve", str(TASK_ID), "--nodes", f"{tmp_path}/nosuch.yaml")
        printed = await agentos(server.url, *nowhere)
        assert (printed.code, server.asked) == (2, [])
        assert "nosuch.yaml cannot be read: there is no such file" in printed.stderr


async def test_the_nodes_of_a_plan_can_be_printed(cli_stage: Stage) -> None:
    plan, _ = await _waiting(cli_stage)
    printed = await agentos(cli_stage.url, "plan", str(plan.id), "-o", "-")
    assert [node["id"] for node in yaml.safe_load(printed.stdout)["nodes"]] == ["clean", "report"]
    as_json = await agentos(cli_stage.url, "plan", str(plan.id), "--output", "json")
    shown = json.loads(as_json.stdout)
    assert [node["status"] for node in shown["nodes"]] == ["pending", "pending"]


async def test_a_task_of_another_type_has_no_plan(cli_stage: Stage) -> None:
    plan = await a_plan(cli_stage.database)
    child = await plan.node(TWO[0], 1, Status.RUNNING)
    printed = await agentos(cli_stage.url, "plan", str(child))
    assert printed.code == 2
    assert "has no plan" in printed.stderr
