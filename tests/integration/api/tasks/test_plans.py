"""Plans over HTTP: how they are asked for, and what is told of their nodes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from activities.store.approvals import Approval
from tests.integration.api_stage import Stage
from tests.integration.plan_rows import PlanRows, a_node, a_plan
from workflows.contracts import Failure
from workflows.definitions.plan import Node
from workflows.states import Status

TWO = (a_node("clean", size="large"), a_node("report", "clean", output_schema={"type": "object"}))


async def _plan(stage: Stage, plan: PlanRows) -> dict[str, Any]:
    answer = await stage.http.get(f"/tasks/{plan.id}/plan")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


# Asking for one.


async def test_a_plan_is_accepted_with_its_fields(agents_stage: Stage) -> None:
    plan = {"atomicity": "relaxed", "max_nodes": 5, "agent": {"skills": ["greet"]}, "approve": True}
    body = {"type": "plan", "prompt": "Profile both.", "plan": plan}
    answer = await agents_stage.http.post("/tasks", json=body)
    assert answer.status_code == 202, answer.text
    task = await agents_stage.task(answer.json()["task_id"])
    assert (task["type"], task["definition"], task["sub_tasks"]) == ("plan", plan, [])
    assert task["progress"] == {"done": 0, "total": 1, "percent": 0, "current": "planning"}
    await agents_stage.http.post(f"/tasks/{task['task_id']}/cancel")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"type": "plan"}, "/prompt"),
        ({"type": "plan", "prompt": " "}, "/prompt"),
        ({"type": "plan", "prompt": "x", "agent": {}}, "/agent"),
        ({"type": "plan", "prompt": "x", "plan": {"max_nodes": 51}}, "/plan/max_nodes"),
        ({"type": "plan", "prompt": "x", "plan": {"depth": 4}}, "/plan/depth"),
        ({"type": "plan", "prompt": "x", "plan": {"atomicity": "fine"}}, "/plan/atomicity"),
        ({"type": "plan", "prompt": "x", "plan": {"nodes": []}}, "/plan/nodes"),
        ({"type": "plan", "prompt": "x", "plan": {"limits": {"tokens": 0}}}, "/plan/limits/tokens"),
        ({"type": "plan", "prompt": "x", "plan": {"limits": {"turns": 1}}}, "/plan/limits/turns"),
        ({"type": "agent", "prompt": "x", "plan": {}}, "/plan"),
    ],
)
async def test_a_plan_that_cannot_be_is_refused_with_its_place(
    agents_stage: Stage, body: dict[str, Any], pointer: str
) -> None:
    answer = await agents_stage.http.post("/tasks", json=body)
    assert answer.status_code == 422
    assert [item["pointer"] for item in answer.json()["errors"]] == [pointer]


# Looking at one.


async def test_a_task_that_is_a_plan_has_its_nodes_as_sub_tasks(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database)
    await plan.call(TWO, Status.RUNNING)
    await plan.node(TWO[0], 1, Status.COMPLETED)
    await plan.node(TWO[1], 2, Status.RUNNING)
    await plan.node(a_node("last", "report"), 3)
    task = await agents_stage.task(str(plan.id))
    assert [
        (item["name"], item["type"], item["dependencies"], item["task_id"])
        for item in task["sub_tasks"]
    ] == [
        ("clean", "agent", [], str(plan.children["clean"])),
        ("report", "agent", ["clean"], str(plan.children["report"])),
        # Nobody runs it yet.
        ("last", "agent", ["report"], None),
    ]
    assert task["progress"] == {"done": 1, "total": 3, "percent": 33, "current": "report"}
    listed = (await agents_stage.http.get("/tasks", params={"type": "plan"})).json()["items"]
    [summary] = [item for item in listed if item["task_id"] == str(plan.id)]
    assert summary["progress"] == task["progress"]


async def test_a_plan_whose_nodes_are_done_is_at_its_synthesis(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database)
    await plan.node(TWO[0], 1, Status.COMPLETED)
    task = await agents_stage.task(str(plan.id))
    assert task["progress"] == {"done": 1, "total": 1, "percent": 100, "current": "synthesis"}


async def test_nodes_that_a_revision_has_replaced_count_no_more(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database)
    await plan.node(TWO[0], 1, Status.FAILED, output_result={"replaced": 6})
    await plan.node(TWO[1], 2, Status.CANCELLED, output_result={"dropped": 6})
    await plan.node(a_node("again"), 3, Status.COMPLETED)
    await plan.node(a_node("last", "again"), 4)
    task = await agents_stage.task(str(plan.id))
    assert (task["progress"]["done"], task["progress"]["total"]) == (1, 2)
    shown = await _plan(agents_stage, plan)
    assert [node["is_out"] for node in shown["nodes"]] == [True, True, False, False]


@pytest.mark.parametrize("status", [Status.WAITING, Status.PAUSED])
async def test_a_node_waits_and_pauses_with_the_task_that_runs_it(
    agents_stage: Stage, status: Status
) -> None:
    plan = await a_plan(agents_stage.database)
    await plan.node(TWO[0], 1, Status.RUNNING, child_status=status)
    await plan.node(TWO[1], 2, Status.COMPLETED, child_status=status)
    task = await agents_stage.task(str(plan.id))
    assert [item["status"] for item in task["sub_tasks"]] == [status, "completed"]
    shown = await _plan(agents_stage, plan)
    assert [node["status"] for node in shown["nodes"]] == [status, "completed"]


async def test_tasks_that_are_nodes_are_listed_with_their_plan_only(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database)
    child = await plan.node(TWO[0], 1, Status.RUNNING)
    other = await a_plan(agents_stage.database)
    await other.node(TWO[0], 1, Status.RUNNING)

    async def listed(**query: str) -> list[str]:
        items = (await agents_stage.http.get("/tasks", params=query)).json()["items"]
        return [item["task_id"] for item in items]

    assert str(child) not in await listed()
    assert str(child) not in await listed(text="Do clean")
    assert await listed(parent_id=str(plan.id)) == [str(child)]
    assert await listed(parent_id=str(plan.id), status="completed") == []
    assert (await agents_stage.task(str(child)))["parent_id"] == str(plan.id)
    assert (await agents_stage.task(str(plan.id)))["parent_id"] is None
    stranger = await agents_stage.team()
    answer = await stranger.get("/tasks", params={"parent_id": str(plan.id)})
    assert answer.json()["items"] == []
    wrong = await agents_stage.http.get("/tasks", params={"parent_id": "x"})
    assert wrong.status_code == 422


# Its plan.


async def test_a_plan_is_shown_with_its_nodes_as_written(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database)
    await plan.call(TWO)
    failure = Failure(code="script-failed", message="It failed.").model_dump(exclude_none=True)
    await plan.node(TWO[0], 1, Status.COMPLETED, result={"summary": "Cleaned."})
    await plan.node(TWO[1], 2, Status.FAILED, error=failure)
    shown = await _plan(agents_stage, plan)
    clean, report = shown["nodes"]
    assert clean["summary"] == "Cleaned."
    assert {key: report[key] for key in ("id", "title", "description", "kind", "size")} == {
        "id": "report",
        "title": "Do report",
        "description": "Do report.",
        "kind": "agent",
        "size": "small",
    }
    assert (report["depends_on"], report["number"]) == (["clean"], 2)
    assert (report["status"], report["error"]["message"]) == ("failed", "It failed.")
    assert report["task_id"] == str(plan.children["report"])
    assert report["output_schema"] == {"type": "object"}
    assert (report["inputs"], report["skills"], report["tools"]) == ({}, None, None)
    assert shown["reason"] == "Both can be done side by side."
    assert shown["revisions"] == []


async def test_a_plan_that_waits_for_approval_is_shown_with_the_nodes_to_approve(
    agents_stage: Stage,
) -> None:
    file = "${nodes.clean.files['clean.csv']}"
    nodes = [a_node("clean", files=["clean.csv"]), a_node("report", inputs={"data": file})]
    plan = await a_plan(agents_stage.database, status=Status.WAITING)
    await plan.call(nodes, Status.WAITING)
    shown = await _plan(agents_stage, plan)
    assert [(node["id"], node["status"], node["task_id"]) for node in shown["nodes"]] == [
        ("clean", "pending", None),
        ("report", "pending", None),
    ]
    assert shown["nodes"][1]["depends_on"] == ["clean"]


@pytest.mark.parametrize(("atomic", "total"), [(False, 2), (True, 1)])
async def test_the_progress_of_a_plan_that_waits_for_approval_says_so(
    agents_stage: Stage, atomic: bool, total: int
) -> None:
    plan = await a_plan(agents_stage.database, status=Status.WAITING)
    await (plan.call((), Status.WAITING, atomic=True) if atomic else plan.call(TWO, Status.WAITING))
    progress = {"done": 0, "total": total, "percent": 0, "current": "waiting for approval"}
    assert (await agents_stage.task(str(plan.id)))["progress"] == progress
    listed = (await agents_stage.http.get("/tasks", params={"type": "plan"})).json()["items"]
    [summary] = [item for item in listed if item["task_id"] == str(plan.id)]
    assert summary["progress"] == progress


async def test_a_task_that_is_not_to_be_split_waits_with_the_one_node_that_does_it_all(
    agents_stage: Stage,
) -> None:
    plan = await a_plan(agents_stage.database, status=Status.WAITING)
    await plan.call((), Status.WAITING, atomic=True, reason="It is one step.")
    shown = await _plan(agents_stage, plan)
    assert [(node["id"], node["description"]) for node in shown["nodes"]] == [
        ("task", "Profile both.")
    ]
    assert shown["reason"] == "It is one step."


async def test_a_plan_that_was_sent_back_is_shown_no_more(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database)
    await plan.call(TWO, Status.COMPLETED)
    assert (await _plan(agents_stage, plan))["nodes"] == []


async def test_revisions_are_shown_with_what_they_changed(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database)
    await plan.call(TWO)
    await plan.node(TWO[0], 1, Status.FAILED, output_result={"replaced": 6})
    added = a_node("again").model_dump(mode="json", exclude_defaults=True)
    await plan.revise("The file was empty.", add=[added], drop=["report"])
    [revision] = (await _plan(agents_stage, plan))["revisions"]
    assert revision.pop("at")
    assert revision == {
        "reason": "The file was empty.",
        "add": [added],
        "drop": ["report"],
        "rewire": [],
    }


async def test_spending_is_that_of_a_plan_and_of_all_below_it(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database, limits={"tokens": 5_000, "seconds": 60})
    child = await plan.node(TWO[0], 1, Status.RUNNING)
    assert child is not None
    below = await PlanRows(agents_stage.database, child, {}).node(TWO[0], 1, Status.RUNNING)
    assert below is not None
    for task_id, tokens in ((plan.id, 100), (child, 20), (below, 3)):
        await plan.speak(task_id, 3, tokens)
    await plan.execute(
        "UPDATE tasks SET route = CAST(:route AS jsonb) WHERE id = :id",
        route='{"requested": "auto", "type": "plan", "reason": "", "tokens": 7, "cost_usd": 0.5}',
        id=plan.id,
    )
    other = await a_plan(agents_stage.database)
    await other.speak(other.id, 3, 1_000)
    spent = (await _plan(agents_stage, plan))["spent"]
    assert (spent["tokens"], spent["cost_usd"]) == (130, 1.25)
    assert (await agents_stage.task(str(plan.id)))["usage"]["tokens_used"] == 107


async def test_the_seconds_of_a_plan_are_those_of_work_in_all_its_runs(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database, status=Status.COMPLETED)
    states = (
        (Status.RUNNING, 0),
        (Status.WAITING, 10),
        (Status.RUNNING, 1_000),
        (Status.PAUSED, 1_002),
        (Status.RUNNING, 5_000),
        (Status.BLOCKED, 5_003),
        (Status.PENDING, 9_000),
        (Status.RUNNING, 9_100),
        (Status.COMPLETED, 9_105),
    )
    for seq, (status, seconds) in enumerate(states, 2):
        await plan.be(seq, status, seconds)
    assert (await _plan(agents_stage, plan))["spent"]["seconds"] == 20


async def test_a_plan_that_has_not_begun_has_used_no_time(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database)
    assert (await _plan(agents_stage, plan))["spent"]["seconds"] == 0


async def test_the_estimate_is_the_limit_until_every_node_has_begun(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database, limits={"tokens": 5_000, "seconds": 60})
    await plan.node(TWO[0], 1, Status.COMPLETED, limits={"tokens": 300, "seconds": 10})
    estimates = [(await _plan(agents_stage, plan))["estimate"]]
    await plan.node(TWO[1], 2)
    estimates.append((await _plan(agents_stage, plan))["estimate"])
    assert [(item["tokens"], item["seconds"]) for item in estimates] == [(300, 10), (5_000, 60)]


async def test_the_estimate_is_what_all_nodes_were_granted(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database, limits={"tokens": 5_000, "cost_usd": 4.0})
    for number, (name, *after) in enumerate((("a",), ("b",), ("c", "a")), 1):
        limits = {"tokens": 300, "seconds": 10 * number, "cost_usd": 0.5}
        await plan.node(a_node(name, *after), number, Status.RUNNING, limits=limits)
    await plan.speak(plan.id, 3, 100)
    estimate = (await _plan(agents_stage, plan))["estimate"]
    # The longest path is a, then c.
    assert estimate == {"tokens": 1_000, "cost_usd": 1.75, "seconds": 40}


async def test_the_estimate_of_a_plan_with_pipelines_has_the_time_of_the_whole(
    agents_stage: Stage,
) -> None:
    plan = await a_plan(agents_stage.database, limits={"seconds": 60})
    child = await plan.node(TWO[0], 1, Status.RUNNING)
    await plan.execute("UPDATE tasks SET type = 'pipeline' WHERE id = :id", id=child)
    assert (await _plan(agents_stage, plan))["estimate"]["seconds"] == 60


async def test_what_is_no_plan_has_none(agents_stage: Stage) -> None:
    plan = await a_plan(agents_stage.database)
    child = await plan.node(TWO[0], 1, Status.RUNNING)
    answer = await agents_stage.http.get(f"/tasks/{child}/plan")
    assert (answer.status_code, answer.json()["code"]) == (409, "plan-missing")
    assert "type agent" in answer.json()["detail"]
    stranger = await agents_stage.team()
    for team, task_id in ((agents_stage.http, UUID(int=1)), (stranger, plan.id)):
        assert (await team.get(f"/tasks/{task_id}/plan")).status_code == 404


# Approving one.


async def _waits(stage: Stage, **arguments: Any) -> tuple[PlanRows, str, UUID]:
    """A plan that waits for a person; the path of its approval, and what is asked."""
    agent = {"tools": ["read_file", "mcp.x.*"]}
    more: dict[str, Any] = {"max_nodes": 3, "agent": agent, "atomicity": "relaxed"}
    plan = await a_plan(stage.database, status=Status.WAITING, **more)
    now = datetime.now(UTC)
    asked = Approval(id=uuid4(), kind="approval", asked_at=now, expires_at=now + timedelta(hours=1))
    call = await plan.call(TWO, Status.WAITING, approval=asked, **arguments)
    return plan, f"/tasks/{plan.id}/approvals/{call}", asked.id


def _nodes(*nodes: Node) -> list[dict[str, Any]]:
    return [node.model_dump(mode="json", exclude_defaults=True) for node in nodes]


async def test_a_plan_that_waits_is_listed_as_a_call_that_makes_one(agents_stage: Stage) -> None:
    plan, _, ask_id = await _waits(agents_stage)
    [item] = (await agents_stage.http.get(f"/tasks/{plan.id}/approvals")).json()["items"]
    assert (item["type"], item["tool"], item["ask_id"]) == ("plan", "make_plan", str(ask_id))
    assert item["arguments"]["nodes"] == _nodes(*TWO)


async def test_a_plan_that_is_approved_with_other_nodes_has_those(agents_stage: Stage) -> None:
    plan, path, ask_id = await _waits(agents_stage, atomic=True)
    edited = _nodes(a_node("tidy", description="Only that."), a_node("check", "tidy"))
    word = {"decision": "approve", "nodes": edited, "ask_id": str(ask_id)}
    for _ in range(2):  # A repeat changes nothing.
        answer = await agents_stage.http.post(path, json=word)
        assert answer.status_code == 202, answer.text
        assert answer.json()["arguments"]["nodes"] == edited
        assert "atomic" not in answer.json()["arguments"]
    shown = await _plan(agents_stage, plan)
    assert ([node["id"] for node in shown["nodes"]], shown["is_edited"]) == (
        ["tidy", "check"],
        True,
    )
    assert shown["reason"] == "Both can be done side by side."
    for other in (_nodes(*TWO), []):
        answer = await agents_stage.http.post(path, json={**word, "nodes": other})
        assert answer.status_code == 409
        assert "other nodes" in answer.json()["detail"]


@pytest.mark.parametrize("named", ["1.1", "1.1 make_plan", "1.1%20make_plan"])
async def test_the_call_that_makes_a_plan_goes_by_its_number_and_its_name(
    agents_stage: Stage, named: str
) -> None:
    plan, _, _ = await _waits(agents_stage)
    answer = await agents_stage.http.post(
        f"/tasks/{plan.id}/approvals/{named}", json={"decision": "deny"}
    )
    assert (answer.status_code, answer.json()["name"]) == (202, "1.1 make_plan")


async def test_a_plan_that_is_sent_back_keeps_its_nodes_in_the_call_alone(
    agents_stage: Stage,
) -> None:
    plan, path, _ = await _waits(agents_stage)
    word = {"decision": "deny", "note": "Leave out the report."}
    answer = await agents_stage.http.post(path, json=word)
    assert (answer.status_code, answer.json()["note"]) == (202, "Leave out the report.")
    assert (await _plan(agents_stage, plan))["nodes"] == []


_CODE_STEP = {"id": "s", "code": {"language": "python", "source": "1"}}
_TOOL_STEP = {"id": "s", "tool": "write_file", "args": {"name": "a.txt", "text": "Hello."}}


@pytest.mark.parametrize(
    ("nodes", "pointer", "message"),
    [
        ([], "/nodes", "at least one node"),
        (_nodes(*(a_node(name) for name in "abcd")), "/nodes", "more than the 3 allowed"),
        (_nodes(a_node("a", "b"), a_node("b", "a")), "/nodes", "in a circle: "),
        (_nodes(a_node("a"), a_node("a")), "/nodes/1/id", "also the id of node 0"),
        (_nodes(a_node("a", "x")), "/nodes/0/depends_on/0", "no node 'x'"),
        (_nodes(a_node("a", inputs={"d": "${inputs.d}"})), "/nodes/0/inputs/d", "no input 'd'"),
        (_nodes(a_node("a", kind="plan")), "/nodes/0/kind", "cannot be split once more"),
        (_nodes(a_node("a", skills=["greed"])), "/nodes/0/skills/0", "Did you mean greet?"),
        (_nodes(a_node("a", tools=["read_fil"])), "/nodes/0/tools/0", "Did you mean read_file?"),
        (_nodes(a_node("a", tools=["write_file"])), "/nodes/0/tools/0", "may not use 'write_file'"),
        (_nodes(a_node("a", tools=["mcp.x.y"])), "/nodes/0/tools/0", "there is no tool"),
        (
            _nodes(a_node("a", output_schema={"type": "dream"})),
            "/nodes/0/output_schema/type",
            'it must be "array"',
        ),
        (
            [{"id": "a", "title": "A", "kind": "pipeline", "steps": [{"id": "s", "skill": "x"}]}],
            "/nodes/0/steps/0/skill",
            "x",
        ),
        (
            [{"id": "a", "title": "A", "kind": "pipeline", "steps": [_CODE_STEP]}],
            "/nodes/0/steps/0/code",
            "may not run code",
        ),
        (
            [{"id": "a", "title": "A", "kind": "pipeline", "steps": [_TOOL_STEP]}],
            "/nodes/0/steps/0/tool",
            "may not call this tool",
        ),
        (_nodes(a_node("a", skills=["greet"])), "/nodes/0/skills/0", "no tool that uses skills"),
        (_nodes(a_node("a", tools=[], files=["a.md"])), "/nodes/0/files", "makes no files"),
        (_nodes(a_node("a", files=["output.json"])), "/nodes/0/files/0", "take another name"),
        (_nodes(a_node("a", files=["b", "../x"])), "/nodes/0/files/1", "write it as in"),
        (_nodes(a_node("a", files=["a//b"])), "/nodes/0/files/0", "write it as in"),
        ([{"id": "a"}], "/nodes/0/title", "required"),
        ([{"id": "a", "title": "A", "colour": "red"}], "/nodes/0/colour", "unknown field colour"),
    ],
)
async def test_edited_nodes_that_make_no_sound_plan_are_refused_with_their_place(
    agents_stage: Stage, nodes: list[dict[str, Any]], pointer: str, message: str
) -> None:
    plan, path, _ = await _waits(agents_stage)
    answer = await agents_stage.http.post(path, json={"decision": "approve", "nodes": nodes})
    assert answer.status_code == 422
    [problem] = answer.json()["errors"]
    assert problem["pointer"] == pointer
    assert message in problem["message"]
    assert (await _plan(agents_stage, plan))["nodes"][0]["id"] == "clean"
    [item] = (await agents_stage.http.get(f"/tasks/{plan.id}/approvals")).json()["items"]
    assert item["decision"] is None


async def test_nodes_are_for_a_plan_that_is_made_and_approved(agents_stage: Stage) -> None:
    _, path, _ = await _waits(agents_stage)
    denied = await agents_stage.http.post(path, json={"decision": "deny", "nodes": _nodes(*TWO)})
    assert denied.status_code == 422
    _, path, _ = await _waits(agents_stage, tool="revise_plan")
    word = {"decision": "approve", "nodes": _nodes(*TWO)}
    revising = await agents_stage.http.post(path, json=word)
    assert revising.status_code == 422
    assert "makes no plan" in revising.json()["errors"][0]["message"]


# Its trace.


async def test_a_trace_has_the_nodes_of_a_plan_in_the_call_that_made_them(
    agents_stage: Stage,
) -> None:
    plan = await a_plan(agents_stage.database)
    await plan.speak(plan.id, 3, 100)
    await plan.call(TWO, Status.RUNNING)
    child = await plan.node(TWO[0], 1, Status.COMPLETED)
    await plan.node(TWO[1], 2)
    assert child is not None
    await plan.speak(child, 3, 20)
    span = (await agents_stage.http.get(f"/tasks/{plan.id}/trace")).json()
    [turn] = span["children"]
    said, call = turn["children"]
    assert (said["kind"], call["name"], call["status"]) == ("llm", "1.1 make_plan", "running")
    assert [(node["kind"], node["name"], node["status"]) for node in call["children"]] == [
        ("node", "clean", "completed"),
        ("node", "report", "pending"),
    ]
    clean, report = call["children"]
    assert (clean["duration_ms"], report["children"]) == (3_000, [])
    [inner] = clean["children"]
    assert (inner["name"], inner["children"][0]["name"]) == ("turn 1", "m-1, 20 tokens")
    assert span["is_cut"] is False
