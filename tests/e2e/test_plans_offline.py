"""Plans without a key: the offline model routes a task of type ``auto`` and splits it."""

from pathlib import Path
from typing import Any

from tests.live import Live

PROMPT = "Clean both files, profile each, and write one report of both"
GOOD = b"name,age\nada,36\nbob,\n"
BAD = b"PK\x03\x04\x00\x01 this is an archive"


async def submit(live: Live, prompt: str, **files: bytes) -> dict[str, Any]:
    """A task of type ``auto``, when it has ended."""
    inputs = {name: await live.upload(f"{name}.csv", content) for name, content in files.items()}
    body = {"type": "auto", "prompt": prompt, "inputs": inputs}
    answer = await live.http.post("/api/v1/tasks", json=body)
    assert answer.status_code == 202, answer.text
    return await live.ended(answer.json()["task_id"])


def files_of(task: dict[str, Any]) -> set[str]:
    return {artifact["name"] for artifact in task["artifacts"]}


async def test_the_same_work_on_two_files_becomes_branches_that_one_node_joins(
    live: Live, tmp_path: Path
) -> None:
    (tmp_path / "good.csv").write_bytes(GOOD)
    inputs = [f"--input={name}={tmp_path / 'good.csv'}" for name in ("a", "b")]
    printed = await live.agentos("submit", "auto", PROMPT, *inputs, "--wait")
    assert printed.code == 0, printed.stderr
    task = await live.task(printed.stdout.strip())
    assert (task["type"], task["status"]) == ("plan", "completed")
    assert task["route"]["requested"] == "auto"
    nodes = {node["name"]: node for node in task["sub_tasks"]}
    waits = {name: set(node["dependencies"]) for name, node in nodes.items()}
    assert waits == {
        "clean-a": set(),
        "clean-b": set(),
        "profile-a": {"clean-a"},
        "profile-b": {"clean-b"},
        "report": {"clean-a", "clean-b", "profile-a", "profile-b"},
    }
    assert files_of(task) >= {"a-clean.csv", "b-clean.csv", "a-profile.md", "report.html"}
    [report] = [item for item in task["artifacts"] if item["name"] == "report.md"]
    text = await live.text_of(report)
    assert "A clean" in text
    assert "B clean" in text


async def test_a_plan_with_a_bad_file_is_blocked_and_mended_by_another(live: Live) -> None:
    task = await submit(live, PROMPT, a=BAD, b=GOOD)
    assert task["status"] == "blocked"
    before = {node["name"]: node["status"] for node in task["sub_tasks"]}
    assert (before["clean-a"], before["profile-b"]) == ("failed", "completed")

    mended = {"inputs": {"a": await live.upload("a.csv", GOOD)}}
    assert await live.post(task["task_id"], "retry", **mended) == 202
    again = await live.when(task["task_id"], lambda now: now["status"] == "completed")
    kept = {node["name"]: node["finished_at"] for node in task["sub_tasks"]}
    now = {node["name"]: node["finished_at"] for node in again["sub_tasks"]}
    assert {name for name in now if now[name] == kept[name]} == {"clean-b", "profile-b"}
    assert "report.html" in files_of(again)


async def test_a_fixed_sequence_on_one_file_becomes_a_pipeline(live: Live) -> None:
    task = await submit(live, "Clean the data and profile it.", data=GOOD)
    assert (task["type"], task["status"]) == ("pipeline", "completed")
    assert [step["name"] for step in task["sub_tasks"]] == ["clean", "profile"]
    assert files_of(task) == {"clean.csv", "profile.json", "profile.md"}


async def test_what_no_skill_is_for_becomes_an_agent(live: Live) -> None:
    task = await submit(live, "Clean the data and write a poem about it.", data=GOOD)
    assert (task["type"], task["status"]) == ("agent", "completed")
    assert "write a poem" in task["route"]["reason"]


async def test_what_fails_is_left_out_where_the_prompt_allows_it(live: Live) -> None:
    task = await submit(live, f"{PROMPT}. Leave out what fails.", a=BAD, b=GOOD)
    assert task["status"] == "completed"
    assert files_of(task) >= {"b-clean.csv", "report.html"}
    assert "a-profile.md" not in files_of(task)
