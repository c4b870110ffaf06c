"""The command against the true API, whose worker does what the steps' sources order."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from activities.store import keys
from api.wire.responses.pages import MAX_PAGE
from api.wire.responses.tools import Tool
from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage, pipeline
from tests.integration.cli_runs import agentos, start
from tests.integration.cli_server import a_page, a_task, serving
from workflows.states import Permission, TaskType, ToolType

MADE = "print hello\nfile a.html <b>\nfile b/c.png dots"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A pipeline of two steps that completes, in a file."""
    return write(tmp_path, MADE, "print bye")


def write(folder: Path, *sources: str, **more: Any) -> Path:
    path = folder / "pipeline.yaml"
    path.write_text(json.dumps(pipeline(*sources) | more))  # JSON is YAML too.
    return path


async def test_a_task_that_completes_exits_with_0(stage: Stage, written: Path) -> None:
    words = ("submit", "pipeline", str(written), "--wait", "--priority", "8")
    printed = await agentos(stage.url, *words)
    assert printed.code == 0
    task = await stage.task(printed.stdout.strip())
    assert (task["status"], task["priority"]) == ("completed", 8)
    assert "a: started" in printed.stderr
    assert "test completed in" in printed.stderr


async def test_json_of_a_wait_is_the_result_and_nothing_else(stage: Stage, written: Path) -> None:
    printed = await agentos(stage.url, "submit", "pipeline", str(written), "--wait", "-o", "json")
    shown = json.loads(printed.stdout)
    assert shown.keys() == {"step", "exit_code", "json", "stdout", "is_cut", "files"}
    assert (shown["exit_code"], printed.code) == (0, 0)


async def test_json_of_a_wait_for_a_task_that_fails_is_nothing_and_stderr_says_why(
    stage: Stage, tmp_path: Path
) -> None:
    path = str(write(tmp_path, "fail"))
    printed = await agentos(stage.url, "submit", "pipeline", path, "--wait", "-o", "json")
    assert (printed.code, printed.stdout) == (1, "")
    assert "It failed as told." in printed.stderr


async def test_the_result_of_a_pipeline_is_what_its_last_step_printed(
    stage: Stage, tmp_path: Path
) -> None:
    path = str(write(tmp_path, "print no", "print 3 rows\nfile a.txt hello"))
    task_id = (await agentos(stage.url, "submit", "pipeline", path)).stdout.strip()
    printed = await agentos(stage.url, "result", task_id[:10], "--wait")
    assert (printed.code, printed.stdout) == (0, "3 rows\n")
    assert f"1 file: agentos artifacts get {task_id}" in printed.stderr
    as_json = json.loads((await agentos(stage.url, "result", task_id, "-o", "json")).stdout)
    assert as_json == (await stage.task(task_id))["result"]


async def done(stage: Stage, *steps: dict[str, Any]) -> str:
    answer = await stage.http.post("/tasks", json={"pipeline": {"name": "p", "steps": list(steps)}})
    assert answer.status_code == 202, answer.text
    task_id = str(answer.json()["task_id"])
    await stage.until(task_id, "completed")
    return task_id


def each(source: str, items: list[Any]) -> dict[str, Any]:
    """A step that runs once for each of the items."""
    code = {"language": "shell", "source": source}
    return {"id": "each", "code": code, "foreach": items, "parallel": 2}


@pytest.mark.parametrize(
    ("items", "printed"),
    [([1, 2, 3], ["7", "7", "8"]), ([], [])],
    ids=["some", "none"],
)
async def test_the_result_of_a_step_with_items_is_the_list_of_theirs(
    stage: Stage, items: list[Any], printed: list[str]
) -> None:
    task_id = await done(stage, each("item 0 print 7\nitem 1 print 7\nitem 2 print 8", items))
    given = await agentos(stage.url, "result", task_id)
    assert (given.code, json.loads(given.stdout)) == (0, [int(text) for text in printed])


async def test_the_result_of_items_that_print_text_is_that_in_their_order(stage: Stage) -> None:
    task_id = await done(stage, each("print x\nitem 10 print last", list(range(11))))
    given = await agentos(stage.url, "result", task_id)
    assert (given.code, given.stdout) == (0, "x\n" * 11 + "last\n")


async def test_what_has_no_result_says_so(stage: Stage, tmp_path: Path) -> None:
    path = str(write(tmp_path, "wait"))
    task_id = (await agentos(stage.url, "submit", "pipeline", path)).stdout.strip()
    printed = await agentos(stage.url, "result", task_id)
    assert (printed.code, printed.stdout) == (1, "")
    assert "has no result yet" in printed.stderr
    await stage.http.post(f"/tasks/{task_id}/cancel")
    await stage.until(task_id, "cancelled")
    printed = await agentos(stage.url, "result", task_id)
    assert (printed.code, printed.stdout) == (3, "")
    assert "ended as cancelled" in printed.stderr


async def test_a_task_that_fails_exits_with_1_and_says_why(stage: Stage, tmp_path: Path) -> None:
    words = ("submit", "pipeline", str(write(tmp_path, "print x\nfail")), "--wait")
    printed = await agentos(stage.url, *words)
    assert printed.code == 1
    assert "It failed as told." in printed.stderr
    assert f"agentos retry {printed.stdout.strip()} --from a" in printed.stderr
    shown = await agentos(stage.url, "show", printed.stdout.strip())
    for output in (printed.stderr, shown.stdout):
        assert output.count("It failed as told.") == 1


async def test_a_task_that_is_cancelled_exits_with_3(stage: Stage, tmp_path: Path) -> None:
    running = await start(stage.url, "submit", "pipeline", str(write(tmp_path, "wait")), "--wait")
    task_id = (await running.stdout.readline()).decode().strip()
    await stage.until(task_id, "running")
    cancelled = await agentos(stage.url, "cancel", task_id, "-o", "json")
    assert cancelled.code == 0
    assert json.loads(cancelled.stdout)["task_id"] == task_id
    assert (await running.end()).code == 3


async def test_ctrl_c_while_waiting_leaves_the_task_running(stage: Stage, tmp_path: Path) -> None:
    running = await start(stage.url, "submit", "pipeline", str(write(tmp_path, "wait")), "--wait")
    task_id = (await running.stdout.readline()).decode().strip()
    await stage.until(task_id, "running")
    running.send_signal(signal.SIGINT)
    printed = await running.end()
    assert printed.code == 130
    assert f"agentos watch {task_id}" in printed.stderr
    assert (await stage.task(task_id))["status"] == "running"
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def test_a_wait_that_takes_too_long_exits_with_124(stage: Stage, tmp_path: Path) -> None:
    path = write(tmp_path, "wait")
    words = ("submit", "pipeline", str(path), "--wait", "--timeout", "0.5")
    printed = await agentos(stage.url, *words)
    assert printed.code == 124
    task_id = printed.stdout.strip()
    assert f"agentos watch {task_id}" in printed.stderr
    await stage.http.post(f"/tasks/{task_id}/cancel")


async def test_the_same_key_on_the_command_line_gives_the_same_task(
    stage: Stage, written: Path
) -> None:
    words = ("submit", "pipeline", str(written), "--idempotency-key", f"key-{uuid4()}")
    first, second = [await agentos(stage.url, *words) for _ in range(2)]
    assert first.stdout == second.stdout
    assert "agentos watch" in first.stderr
    assert "was submitted before" not in first.stderr
    assert "It was submitted before under this key" in second.stderr
    checked = await agentos(stage.url, *words, "--dry-run")
    assert f"was used for task {first.stdout.strip()}" in checked.stderr


async def test_the_same_key_gives_the_same_task_with_a_file_as_long_as_that_stays_the_same(
    stage: Stage, tmp_path: Path
) -> None:
    path, data = write(tmp_path, "print INPUT_DATA", inputs=["data"]), tmp_path / "x.csv"
    data.write_text(f"a\n{uuid4()}\n")
    words = ("submit", "pipeline", str(path), "--input", f"data={data}")
    key = ("--idempotency-key", f"key-{uuid4()}")
    first, second = [await agentos(stage.url, *words, *key) for _ in range(2)]
    assert (first.code, second.code) == (0, 0), second.stderr
    assert first.stdout == second.stdout
    assert "was uploaded before, as file:" in second.stderr
    data.write_text("another\n")
    refused = await agentos(stage.url, *words, *key)
    assert refused.code != 0
    assert "input 'data' has another content" in " ".join(refused.stderr.split())


async def test_a_pipeline_is_read_from_stdin(stage: Stage, written: Path) -> None:
    printed = await agentos(stage.url, "submit", "pipeline", "-", stdin=written)
    assert printed.code == 0
    assert (await stage.task(printed.stdout.strip()))["name"] == "test"


async def test_a_pipeline_that_is_not_there_is_reported(stage: Stage) -> None:
    printed = await agentos(stage.url, "submit", "pipeline", "nosuch.yaml")
    assert printed.code == 2
    assert "nosuch.yaml cannot be read: there is no such file" in printed.stderr


async def test_files_go_in_and_references_pass_through(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n")
    put = await agentos(stage.url, "files", "put", str(tmp_path / "data.csv"), "-o", "json")
    [file] = json.loads(put.stdout)["items"]
    assert (file["name"], file["size"]) == ("data.csv", 4)
    path = write(tmp_path, "print INPUT_X INPUT_Y", inputs=["x", "y"])
    inputs = ("--input", f"x={tmp_path}/data.csv", "--input", f"y=file:{file['id']}")
    printed = await agentos(stage.url, "submit", "pipeline", str(path), *inputs)
    assert printed.code == 0
    task = await stage.task(printed.stdout.strip())
    assert task["inputs"]["y"] == f"file:{file['id']}"
    assert task["inputs"]["x"].startswith("file:")
    assert task["inputs"]["x"] == task["inputs"]["y"]  # The same bytes are the same file.


async def test_refusals_of_the_server_are_printed_with_their_places(
    stage: Stage, tmp_path: Path
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("name: p\nsteps: [{id: a, skill: nosuch}]")
    printed = await agentos(stage.url, "submit", "pipeline", str(path))
    assert (printed.code, printed.stdout) == (2, "")
    assert f"{path}:2:17: step a: There is no skill named 'nosuch'." in printed.stderr
    assert "2 | steps: [{id: a, skill: nosuch}]" in printed.stderr


async def test_submit_refuses_types_that_are_not_offered(stage: Stage) -> None:
    for word in ("dream", "node"):
        printed = await agentos(stage.url, "submit", word, "do it")
        assert printed.code == 2
        assert f"No such command '{word}'" in printed.stderr


async def test_what_to_set_is_said_when_there_is_no_model_to_choose(stage: Stage) -> None:
    printed = await agentos(stage.url, "submit", "auto", "do it")
    assert (printed.code, printed.stdout) == (2, "")
    assert "set OPENAI_API_KEY" in printed.stderr


async def test_a_task_is_looked_at_by_the_beginning_of_its_id(stage: Stage) -> None:
    task_id = await stage.submit(MADE, "print bye")
    await stage.until(task_id, "completed")
    shown = await agentos(stage.url, "show", task_id[:8], "-o", "json")
    assert json.loads(shown.stdout) == await stage.task(task_id)
    table = await agentos(stage.url, "show", task_id[:10])
    assert "a.html" in table.stdout
    trace = await agentos(stage.url, "trace", task_id, "-o", "json")
    spans = await stage.http.get(f"/tasks/{task_id}/trace")
    assert json.loads(trace.stdout) == spans.json()
    drawn = await agentos(stage.url, "trace", task_id)
    assert [line.split()[1] for line in drawn.stdout.splitlines()[1:]] == [
        *("test", "a", "run", "b", "run")
    ]


async def test_a_task_that_nobody_knows_exits_with_5(stage: Stage) -> None:
    assert (await agentos(stage.url, "show", str(uuid4()))).code == 5
    assert (await agentos(stage.url, "show", "fffffffffff0")).code == 5


async def test_logs_name_their_step_and_attempt(stage: Stage) -> None:
    task_id = await stage.submit("print one\nretry", "print two")
    await stage.until(task_id, "completed")
    printed = await agentos(stage.url, "logs", task_id)
    assert printed.stdout == "a | one\na | no\na#2 | one\nb | two\n"
    of_step = await agentos(stage.url, "logs", task_id, "--step", "b")
    assert of_step.stdout == "two\n"
    document = await agentos(stage.url, "logs", task_id, "-o", "json")
    assert json.loads(document.stdout) == (await stage.http.get(f"/tasks/{task_id}/logs")).json()


async def test_artifacts_are_listed_and_fetched(stage: Stage, tmp_path: Path) -> None:
    task_id = await stage.submit(MADE, "file a.html other")
    await stage.until(task_id, "completed")
    listed = await agentos(stage.url, "artifacts", "ls", task_id, "-o", "json")
    answer = await stage.http.get(f"/tasks/{task_id}/artifacts")
    assert json.loads(listed.stdout) == answer.json()
    words = ("artifacts", "get", "--task", task_id, "-o", str(tmp_path))
    fetched = await agentos(stage.url, *words)
    assert fetched.code == 0
    assert sorted(fetched.stdout.splitlines()) == sorted(
        f"{tmp_path}/{name}" for name in ("a/a.html", "b/a.html", "b/c.png")
    )
    assert (tmp_path / "b/a.html").read_text() == "other"
    [picture] = [item for item in answer.json()["items"] if item["name"] == "b/c.png"]
    one = await agentos(stage.url, "artifacts", "get", picture["id"], "-o", str(tmp_path / "one"))
    assert one.stdout == f"{tmp_path}/one/b/c.png\n"
    assert (tmp_path / "one/b/c.png").read_text() == "dots"
    none = await agentos(stage.url, "artifacts", "get", "nosuch", "--task", task_id)
    assert none.code == 5


async def test_a_file_that_is_in_the_way_is_written_over_with_force_only(
    stage: Stage, tmp_path: Path
) -> None:
    task_id = await stage.submit("file a.txt new", "file b.txt other")
    await stage.until(task_id, "completed")
    mine = tmp_path / "b.txt"
    mine.write_text("mine")
    words = ("artifacts", "get", task_id, "-o", str(tmp_path))
    refused = await agentos(stage.url, *words)
    assert refused.code == 2
    assert f"{mine} is there already" in refused.stderr
    assert "--force" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]
    assert mine.read_text() == "mine"
    for more in (("--force",), ()):  # What is there already as it should be is in nobody's way.
        assert (await agentos(stage.url, *words, *more)).code == 0
        assert mine.read_text() == "other"
    uploaded = await agentos(stage.url, "files", "put", str(mine), "-o", "json")
    file_id = json.loads(uploaded.stdout)["items"][0]["id"]
    mine.write_text("mine")
    refused = await agentos(stage.url, "files", "get", file_id, "-o", str(tmp_path))
    assert (refused.code, mine.read_text()) == (2, "mine")
    assert (await agentos(stage.url, "files", "get", file_id, "-o", "-")).stdout == "other"


async def test_a_single_file_goes_to_stdout(stage: Stage) -> None:
    task_id = await stage.submit("file a.txt new", "file b.txt other")
    await stage.until(task_id, "completed")
    printed = await agentos(stage.url, "artifacts", "get", task_id, "b.txt", "-o", "-")
    assert (printed.code, printed.stdout) == (0, "other")
    refused = await agentos(stage.url, "artifacts", "get", task_id, "-o", "-")
    assert (refused.code, refused.stdout) == (2, "")
    assert "one file can go to stdout, and these are 2; name one" in refused.stderr


async def test_the_files_of_all_items_are_those_of_their_step(stage: Stage, tmp_path: Path) -> None:
    made = {"id": "chart", "foreach": ["x", "y"]}
    made["code"] = {"language": "shell", "source": "item 0 file a.txt 1\nitem 1 file b.txt 2"}
    answer = await stage.http.post("/tasks", json={"pipeline": {"name": "m", "steps": [made]}})
    task_id = answer.json()["task_id"]
    await stage.until(task_id, "completed")
    for step, names in (("chart", ["a.txt", "b.txt"]), ("chart[1]", ["b.txt"])):
        words = ("artifacts", "ls", task_id, "--step", step, "-o", "json")
        listed = json.loads((await agentos(stage.url, *words)).stdout)["items"]
        assert sorted(item["name"] for item in listed) == names  # Whichever was made first.
        folder = tmp_path / step
        words = ("artifacts", "get", task_id, "--step", step, "-o", str(folder))
        assert (await agentos(stage.url, *words)).code == 0
        assert sorted(path.name for path in folder.iterdir()) == names


async def test_a_task_is_run_again_from_a_step(stage: Stage) -> None:
    task_id = await stage.submit("print x", "fail")
    await stage.until(task_id, "failed")
    printed = await agentos(stage.url, "retry", task_id[:9], "--from", "b", "--wait")
    assert (printed.code, printed.stdout) == (1, f"{task_id}\n")
    assert "b: started" in printed.stderr
    assert "a: started" not in printed.stderr  # That was in the run before.
    assert (await stage.task(task_id))["run"] == 2
    wrong = await agentos(stage.url, "retry", task_id, "--from", "nosuch")
    assert wrong.code == 2
    assert "(steps: a, b)" in wrong.stderr


async def test_a_task_is_held_and_let_go_on(stage: Stage) -> None:
    task_id = await stage.submit("wait", "print x")
    await stage.until(task_id, "running")
    for command, follows in (
        ("pause", "It will pause before its next step or turn.\n"),
        ("resume", "It resumes.\n"),
        ("cancel", "It is being cancelled.\n"),
    ):
        printed = await agentos(stage.url, command, task_id)
        assert (printed.code, printed.stderr) == (0, follows)
        assert printed.stdout.startswith(task_id)
    await stage.until(task_id, "cancelled")
    again = await agentos(stage.url, "cancel", task_id)
    assert (again.code, again.stderr) == (0, "It is cancelled.\n")
    late = await agentos(stage.url, "pause", task_id)
    assert late.code == 2
    assert "cannot be paused" in late.stderr


async def test_a_list_is_filtered_cut_and_followed_to_its_end(stage: Stage) -> None:
    prompt = uuid4().hex
    ids = [await stage.submit("print x", prompt=prompt) for _ in range(3)]
    some = await agentos(stage.url, "ls", "--text", prompt, "--limit", "2", "-o", "json")
    page = json.loads(some.stdout)
    assert [item["task_id"] for item in page["items"]] == ids[:0:-1]
    assert page["next_cursor"]
    retrying = await agentos(stage.url, "ls", "--text", prompt, "--retrying", "-o", "json")
    assert json.loads(retrying.stdout)["items"] == []
    every = await agentos(stage.url, "ls", "--text", prompt, "--all", "-o", "json")
    page = json.loads(every.stdout)
    assert [item["task_id"] for item in page["items"]] == ids[::-1]
    assert page["next_cursor"] is None
    none = await agentos(
        stage.url, "ls", "--text", prompt, "--status", "blocked", "--type", "pipeline"
    )
    assert (none.code, none.stdout, none.stderr) == (0, "", "No such tasks.\n")


async def test_tools_and_skills_are_shown_as_the_api_has_them(stage: Stage) -> None:
    for command, path in (("skills ls", "/skills"), ("skills show greet", "/skills/greet")):
        printed = await agentos(stage.url, *command.split(), "-o", "json")
        assert json.loads(printed.stdout) == (await stage.http.get(path)).json()
    table = await agentos(stage.url, "skills", "ls")
    assert table.stdout.splitlines()[1].split()[0] == "greet"
    assert "broken" in table.stderr
    tools = await agentos(stage.url, "tools", "ls", "-o", "json")
    whole = await stage.http.get("/tools", params={"limit": MAX_PAGE})
    assert json.loads(tools.stdout) == whole.json()
    assert (await agentos(stage.url, "tools", "disable", "nosuch")).code == 5


async def test_a_malformed_registration_is_refused_in_our_own_words() -> None:
    printed = await agentos("http://127.0.0.1:9", "tools", "register", "x", "--url", "ftp://a/")
    assert printed.code == 2
    assert "url: write http://host/path" in printed.stderr


async def test_the_table_of_tools_shows_the_first_line_of_each_description() -> None:
    tool = Tool(
        name="ask_human",
        type=ToolType.NATIVE,
        description="Ask somebody.\n\nAt length.",
        schema={},
        is_active=True,
        permission_level=Permission.AUTO,
    )
    async with serving() as server:
        server.tell("GET /tools", a_page([tool]))
        printed = await agentos(server.url, "tools", "ls")
    assert printed.stdout.splitlines()[1].split("   ")[-1].strip() == "Ask somebody."


@pytest.mark.parametrize(("kind", "done"), [(TaskType.PIPELINE, "1/2"), (TaskType.AGENT, "1 turn")])
async def test_the_progress_of_a_task_is_shown_in_steps_or_turns(kind: TaskType, done: str) -> None:
    progress = {"done": 1, "total": 2, "percent": 50, "current": None}
    async with serving() as server:
        server.tell("GET /tasks", a_page([a_task(type=kind, progress=progress)]))
        printed = await agentos(server.url, "ls")
    row = printed.stdout.splitlines()[1]
    assert row.split("   ")[3].strip() == done


async def test_commands_with_the_key_of_another_team_or_none_get_nothing(
    infrastructure: Services, skills_folder: Path
) -> None:
    async with api_stage(infrastructure, skills_folder, works=False, keys_required=True) as stage:
        team_id = await keys.create_team(stage.database, "a")
        key = (await keys.create_key(stage.database, team_id, "test")).secret
        right, wrong, none = await asyncio.gather(
            agentos(stage.url, "ls", key=key),
            agentos(stage.url, "ls", key="ak_wrong"),
            agentos(stage.url, "ls"),
        )
    assert (right.code, wrong.code, none.code) == (0, 4, 4)
    assert "AGENTOS_API_KEY" in none.stderr
