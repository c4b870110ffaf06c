"""A plan of which a branch fails, on the whole stack: blocked, and mended by another input."""

from pathlib import Path

from tests.live import Live

_PROMPT = "Clean both files, profile each, and write one report of both"
_CLEAN, _JOINED = "name,age\nada,36\n", "name,age\ncyd,41\n"


async def test_a_plan_with_a_branch_that_fails_is_mended_by_a_retry_with_another_input(
    live: Live, tmp_path: Path
) -> None:
    """Without a key: the offline model splits it, and knows no other way when a node fails."""
    good, bad, mended = (tmp_path / name for name in ("a.csv", "b.csv", "c.csv"))
    good.write_text(_CLEAN)
    bad.write_bytes(b"PK\x03\x04" + bytes(200))
    mended.write_text(_JOINED)
    inputs = ("--input", f"a={good}", "--input", f"b={bad}")
    printed = await live.agentos("submit", "auto", _PROMPT, *inputs, "--wait")
    assert printed.code == 1, printed.stderr
    task = await live.task(printed.stdout.strip())
    assert (task["type"], task["status"], task["error"]["code"]) == (
        "plan",
        "blocked",
        "nodes-failed",
    )
    assert await _runs(live, task["task_id"]) == {"clean-a": 1, "profile-a": 1, "clean-b": 1}
    wanted = ("--input", f"b={mended}", "--wait")
    printed = await live.agentos("retry", task["task_id"], *wanted)
    assert printed.code == 0, printed.stderr
    task = await live.task(printed.stdout.strip())
    assert await _runs(live, task["task_id"]) == {
        **{"clean-a": 1, "profile-a": 1},
        **{"clean-b": 2, "profile-b": 1, "report": 1},
    }
    [report] = [item for item in task["artifacts"] if item["name"] == "report.md"]
    assert "a-profile" in await live.text_of(report)


async def _runs(live: Live, plan_id: str) -> dict[str, int]:
    """How often each node was run, of those that were."""
    nodes = (await live.task(plan_id))["sub_tasks"]
    begun = [node for node in nodes if node["task_id"] is not None]
    return {node["name"]: (await live.task(node["task_id"]))["run"] for node in begun}
