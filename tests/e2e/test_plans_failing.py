"""A plan of which a branch fails, on the whole stack: blocked, and mended by another input."""

from pathlib import Path
from typing import Any

from tests.doubles.scripted_models import ScriptedModels, asks
from tests.live import Live

_COPY = "import pathlib, sys\npathlib.Path(sys.argv[2]).write_text(open(sys.argv[1]).read())"
_REFUSE = f"import sys\nif 'bad' in open(sys.argv[1]).read():\n    sys.exit(3)\n{_COPY}"
_JOIN = "import sys\nopen('both.txt', 'w').write(''.join(open(f).read() for f in sys.argv[1:]))"


def _node(name: str, source: str, *args: str, **more: Any) -> dict[str, Any]:
    code = {"language": "python", "source": source}
    steps = [{"id": "only", "code": code, "args": args}]
    return {"id": name, "title": f"Do {name}", "kind": "pipeline", "steps": steps, **more}


def _branch(name: str, source: str) -> dict[str, Any]:
    file = f"{name}.txt"
    given = {"data": f"${{inputs.{name}}}"}
    return _node(name, source, "${inputs.data}", file, inputs=given, files=[file])


def _nodes() -> list[dict[str, Any]]:
    files = {name: f"${{nodes.{name}.files['{name}.txt']}}" for name in ("left", "right")}
    join = _node("join", _JOIN, "${inputs.left}", "${inputs.right}", inputs=files)
    return [_branch("left", _COPY), _branch("right", _REFUSE), {**join, "files": ["both.txt"]}]


async def test_a_plan_with_a_branch_that_fails_is_mended_by_a_retry_with_another_input(
    agents_live: Live, models: ScriptedModels, tmp_path: Path
) -> None:
    talk = models.conversation(asks(("make_plan", {"nodes": _nodes(), "reason": "Side by side."})))
    inputs = {
        "left": await agents_live.upload("left.txt", b"left\n"),
        "right": await agents_live.upload("right.txt", b"bad\n"),
    }
    body = {"type": "plan", "prompt": talk.prompt(), "inputs": inputs, "plan": {"replans": 0}}
    answer = await agents_live.http.post("/api/v1/tasks", json=body)
    assert answer.status_code == 202, answer.text
    plan_id = str(answer.json()["task_id"])
    task = await agents_live.ended(plan_id)
    assert (task["status"], task["error"]["code"]) == ("blocked", "nodes-failed")
    assert "right" in task["error"]["message"]
    assert await _runs(agents_live, plan_id) == {"Do left": 1, "Do right": 1}
    good = tmp_path / "right.txt"
    good.write_text("right\n")
    printed = await agents_live.agentos("retry", plan_id, "--input", f"right={good}")
    assert printed.code == 0, printed.stderr
    task = await agents_live.ended(plan_id)
    assert task["status"] == "completed", task["error"]
    assert await _runs(agents_live, plan_id) == {"Do left": 1, "Do right": 2, "Do join": 1}
    assert len(talk.requests) == 1  # The plan was not made again.
    [both] = [item for item in task["artifacts"] if item["name"] == "both.txt"]
    assert await agents_live.text_of(both) == "left\nright\n"


async def _runs(live: Live, plan_id: str) -> dict[str, int]:
    """How often the task of each node was run."""
    found = await live.http.get("/api/v1/tasks", params={"parent_id": plan_id})
    return {item["name"]: item["run"] for item in found.json()["items"]}
