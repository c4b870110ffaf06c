"""What people do every day, against the true API: look, compare, take along, clear away."""

import asyncio
import json
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.api_stage import Stage, pipeline
from tests.integration.cli_runs import agentos


@pytest.fixture
def name() -> str:
    return f"everyday {uuid4()}"


async def submit(stage: Stage, name: str, *sources: str, **more: object) -> str:
    body = {"pipeline": {**pipeline(*sources), "name": name}, **more}
    answer = await stage.http.post("/tasks", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def upload(stage: Stage, name: str, content: bytes) -> str:
    return str((await stage.http.post("/files", files={"file": (name, content)})).json()["id"])


async def test_the_page_of_a_task_is_told_where_there_is_no_browser(stage: Stage) -> None:
    task_id = await stage.submit("print x")
    printed = await agentos(stage.url, "open", task_id, BROWSER="", DISPLAY="", WAYLAND_DISPLAY="")
    assert (printed.code, printed.stdout) == (0, f"{stage.url}/tasks/{task_id}\n")
    listed = await agentos(stage.url, "open", "--print")
    assert listed.stdout == f"{stage.url}/\n"
    unknown = await agentos(stage.url, "open", f"nobody {uuid4()}")
    assert (unknown.code, unknown.stdout) == (5, "")


async def test_a_browser_is_told_the_page_of_a_group_by_its_name(
    stage: Stage, name: str, tmp_path: Path
) -> None:
    group = (await stage.http.post("/groups", json={"name": name})).json()["id"]
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    printed = await agentos(stage.url, "open", name, "-o", "json", BROWSER=f"{browser} %s")
    page = {"url": f"{stage.url}/groups/{group}", "opened": True}
    assert json.loads(printed.stdout) == page
    assert opened.read_text() == f"{page['url']}\n"


async def test_two_tasks_are_compared_in_their_definition_and_files(
    stage: Stage, name: str
) -> None:
    first = await submit(stage, name, "print 1\nfile page.html one")
    await stage.until(first, "completed")
    second = await submit(stage, name, "print 2\nfile page.html two words")
    await stage.until(second, "completed")
    for words in ((first, second), (second,)):
        printed = await agentos(stage.url, "diff", *words)
        assert printed.code == 0, printed.stderr
        lines = [line.strip() for line in printed.stdout.splitlines()]
        assert lines.index("- print 1") < lines.index("+ print 2")
        [page] = [line for line in lines if line.startswith("page.html")]
        assert page.split()[1:5] == ["3", "bytes", "9", "bytes"]
    shown = json.loads((await agentos(stage.url, "diff", first, second, "-o", "json")).stdout)
    assert (shown["task"]["task_id"], shown["other"]["task_id"]) == (second, first)


async def test_all_that_is_known_of_a_task_is_taken_along_as_a_zip(
    stage: Stage, name: str, tmp_path: Path
) -> None:
    file = await upload(stage, "data.csv", b"a,b\n")
    definition = {**pipeline("print hello INPUT_DATA\nfile page.html made"), "inputs": ["data"]}
    body = {"pipeline": definition, "inputs": {"data": f"file:{file}"}}
    task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    await stage.until(task_id, "completed")
    path = tmp_path / "task.zip"
    printed = await agentos(stage.url, "export", task_id, "-o", str(path))
    assert (printed.code, printed.stdout) == (0, f"{path}\n"), printed.stderr
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    assert json.loads(found["task.json"])["task_id"] == task_id
    assert b"name: test" in found["pipeline.yaml"]
    [attempt] = [json.loads(line) for line in found["logs.jsonl"].splitlines()]
    assert (attempt["step"], attempt["stdout"]) == ("a", "hello INPUT_DATA\n")
    assert found["artifacts/a/page.html"] == b"made"
    assert found["inputs/data/data.csv"] == b"a,b\n"
    assert json.loads(found["inputs.json"])["items"][0]["file"]["name"] == "data.csv"
    again = await agentos(stage.url, "export", task_id, "-o", str(path))
    assert (again.code, again.stdout) == (2, "")


async def test_an_upload_is_found_by_its_name_fetched_and_deleted(
    stage: Stage, tmp_path: Path
) -> None:
    named = f"{uuid4()}.csv"
    file = await upload(stage, named, b"a,b\n1,2\n")
    listed = await agentos(stage.url, "files", "ls", "-o", "json")
    assert file in [item["id"] for item in json.loads(listed.stdout)["items"]]
    fetched = await agentos(stage.url, "files", "get", named, "-o", str(tmp_path))
    assert (fetched.code, fetched.stdout) == (0, f"{tmp_path}/{named}\n"), fetched.stderr
    assert (tmp_path / named).read_bytes() == b"a,b\n1,2\n"
    removed = await agentos(stage.url, "files", "rm", f"file:{file[:10]}")
    assert (removed.code, removed.stdout) == (0, f"{file}\n"), removed.stderr
    assert (await stage.http.get(f"/files/{file}")).status_code == 404
    assert (await agentos(stage.url, "files", "rm", named)).code == 5


async def test_uploads_of_one_name_are_not_written_over_each_other(
    stage: Stage, tmp_path: Path
) -> None:
    named = f"{uuid4()}.csv"
    files = [await upload(stage, named, content) for content in (b"1", b"2")]
    fetched = await agentos(stage.url, "files", "get", *files, "-o", str(tmp_path), "--force")
    assert fetched.code == 2
    assert f"{files[0]} and {files[1]} have one name" in fetched.stderr
    assert not (tmp_path / named).exists()


async def test_tasks_of_a_name_are_counted_cancelled_and_deleted(stage: Stage, name: str) -> None:
    ids = {await submit(stage, name, "wait") for _ in range(2)}
    other = await submit(stage, f"{name} other", "wait")
    counted = await agentos(stage.url, "cancel", "--name", name, "--dry-run")
    assert (counted.code, counted.stdout) == (0, "2\n"), counted.stderr
    cancelled = await agentos(stage.url, "cancel", "--name", name, "--yes")
    assert cancelled.code == 0, cancelled.stderr
    for task_id in ids:
        await stage.until(task_id, "cancelled")
    assert not (await stage.task(other))["finished_at"]
    listed = await agentos(stage.url, "ls", "--name", name, "--since", "1h", "-o", "json")
    assert {item["task_id"] for item in json.loads(listed.stdout)["items"]} == ids
    deleted = await agentos(stage.url, "rm", "--name", name, "--since", "1h", "-o", "json")
    assert json.loads(deleted.stdout)["counts"]["total"] == 2
    await stage.http.post(f"/tasks/{other}/cancel")


@pytest.mark.parametrize(
    "words",
    [
        ("cancel",),
        ("rm",),
        ("retry",),
        ("cancel", "0123456789", "--all"),
        ("rm", "--all", "--name", "x"),
        ("retry", "--all", "--wait"),
        ("retry", "--name", "x", "--description", "y"),
    ],
    ids=" ".join,
)
async def test_what_is_said_in_two_ways_or_in_none_is_refused(
    stage: Stage, words: tuple[str, ...]
) -> None:
    printed = await agentos(stage.url, *words)
    assert (printed.code, printed.stdout) == (2, "")


async def test_the_last_lines_of_a_log_are_printed_alone(stage: Stage) -> None:
    task_id = await stage.submit("print one\nprint two", "print three\nprint four")
    await stage.until(task_id, "completed")
    printed = await agentos(stage.url, "logs", task_id, "--tail", "3")
    assert printed.stdout == "a | two\nb | three\nb | four\n"
    of_step = await agentos(stage.url, "logs", task_id, "--step", "b", "-n", "1")
    assert of_step.stdout == "four\n"
    assert (await agentos(stage.url, "logs", task_id, "-n", "0")).stdout == ""


async def test_a_task_is_shown_with_the_names_of_its_files_and_whose_it_is(stage: Stage) -> None:
    file = await upload(stage, "north.csv", b"a,b\n")
    body = {
        "pipeline": {**pipeline("print INPUT_DATA"), "inputs": ["data"]},
        "inputs": {"data": f"file:{file}"},
    }
    task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    await stage.until(task_id, "completed")
    lines = (await agentos(stage.url, "show", task_id)).stdout.splitlines()
    [given] = [line for line in lines if line.startswith("Input data")]
    assert given.split()[2] == "north.csv"
    assert given.endswith(f"file:{file}")
    [by] = [line for line in lines if line.startswith("By ")]
    assert by.split()[1:] == ["local", "user"]


async def test_the_version_is_told_without_a_server() -> None:
    printed = await agentos("http://127.0.0.1:9", "--version")
    assert printed.code == 0
    assert printed.stdout.startswith("agentos ")


async def test_a_task_is_shown_with_all_its_tries_and_what_its_steps_ran(stage: Stage) -> None:
    task_id = await stage.submit("skill csv-clean 0123456789abcdef\nprint x", "fail")
    await stage.until(task_id, "failed")
    await stage.http.post(f"/tasks/{task_id}/retry", json={"from": "start"})
    await _second_run(stage, task_id)
    lines = (await agentos(stage.url, "show", task_id)).stdout.splitlines()
    assert ["Run", "2"] in [line.split() for line in lines]
    [row] = [line for line in lines if line.startswith("a ")]
    assert "1 (2 in all)" in row
    assert "csv-clean 1.2 01234567" in row
    [*_, attempt] = (await stage.http.get(f"/tasks/{task_id}/logs?step=a")).json()["items"]
    assert attempt["skill"] == {
        "name": "csv-clean",
        "version": "1.2",
        "digest": "0123456789abcdef",
    }


async def _second_run(stage: Stage, task_id: str) -> None:
    async with asyncio.timeout(60):
        while True:
            task = await stage.task(task_id)
            if task["run"] == 2 and task["status"] == "failed":
                return
            await asyncio.sleep(0.2)
