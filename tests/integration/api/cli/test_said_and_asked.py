"""What commands say where there is nothing to print, and ask before something is made anew."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.api_stage import Stage, pipeline
from tests.integration.cli_runs import agentos, typing


@pytest.fixture
def name() -> str:
    return f"said {uuid4()}"


async def test_what_was_made_is_not_made_anew_on_a_terminal_without_asking(stage: Stage) -> None:
    task_id = await stage.submit("print one", "print two")
    await stage.until(task_id, "completed")
    words = ("retry", task_id, "--from", "b")
    async with typing(stage.url, *words, columns=100) as run:
        await run.until_seen("Keeps: a.", "Run these again? What they made is replaced.")
        run.type("n\r")
        assert await run.end() == 1
    assert (await stage.task(task_id))["run"] == 1
    assert (await agentos(stage.url, *words)).code == 0  # A program is never asked.
    assert (await stage.until(task_id, "completed"))["run"] == 2


async def test_a_retry_that_only_goes_on_where_it_failed_asks_nothing(stage: Stage) -> None:
    task_id = await stage.submit("print one", "fail")
    await stage.until(task_id, "failed")
    async with typing(stage.url, "retry", task_id, columns=100) as run:
        assert await run.end() == 0
        assert "y/N]" not in run.picture.text


async def test_a_dry_run_over_many_tasks_says_what_its_number_is(stage: Stage, name: str) -> None:
    body = {"pipeline": {**pipeline("fail"), "name": name}}
    task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    await stage.until(task_id, "failed")
    printed = await agentos(stage.url, "rm", "--name", name, "--dry-run")
    assert (printed.code, printed.stdout) == (0, "1\n")
    assert (
        "1 task would be deleted, with all that they made. Nothing was changed." in printed.stderr
    )


async def test_a_pipeline_has_no_messages_and_this_is_said(stage: Stage) -> None:
    task_id = await stage.submit("print x")
    printed = await agentos(stage.url, "messages", task_id)
    assert (printed.code, printed.stdout) == (0, "")
    assert f"agentos logs {task_id}" in printed.stderr


@pytest.mark.parametrize(
    "words", [("ls",), ("cancel",), ("dlq", "ls"), ("dlq", "requeue")], ids=" ".join
)
async def test_times_that_are_turned_round_are_refused(
    stage: Stage, words: tuple[str, ...]
) -> None:
    printed = await agentos(stage.url, *words, "--since", "2d", "--until", "3d")
    assert (printed.code, printed.stdout) == (2, "")
    assert "are the two swapped?" in " ".join(printed.stderr.replace("│", " ").split())


async def test_the_item_that_a_cancellation_has_cut_off_is_shown(stage: Stage) -> None:
    source = "item 0 print 7\nitem 1 wait\nitem 2 print 8"
    code = {"language": "shell", "source": source}
    step = {"id": "each", "code": code, "foreach": [1, 2, 3], "parallel": 1}
    body = {"pipeline": {"name": "p", "steps": [step]}}
    task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    await stage.once(
        task_id,
        lambda task: any(s["item_of"] and s["status"] == "running" for s in task["sub_tasks"]),
    )
    assert (await agentos(stage.url, "cancel", task_id)).code == 0
    await stage.until(task_id, "cancelled")
    for command in ("show", "trace"):
        printed = await agentos(stage.url, command, task_id)
        assert "each[1]" in printed.stdout, printed.stdout
        assert "each[0]" not in printed.stdout
        assert "each[2]" not in printed.stdout


async def test_a_second_export_to_a_name_that_nobody_gave_says_how_to_go_on(
    stage: Stage, tmp_path: Path
) -> None:
    task_id = await stage.submit("print x")
    await stage.until(task_id, "completed")
    path = tmp_path / f"task-{task_id[:8]}.zip"
    words = ("export", task_id, "-o", str(tmp_path))
    assert (await agentos(stage.url, *words)).stdout == f"{path}\n"
    again = await agentos(stage.url, *words)
    assert (again.code, again.stdout) == (2, "")
    assert f"{path} is there already" in again.stderr
    assert "--force" in again.stderr
    assert "Invalid value" not in again.stderr
