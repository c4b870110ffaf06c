"""``-o`` of commands that show something and write files, too."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from tests.integration.cli_runs import agentos
from tests.integration.cli_server import (
    TASK_ID,
    Server,
    a_page,
    a_task,
    an_artifact,
    answer,
    document,
    serving,
)

BUDGET = {"tokens": None, "cost_usd": None, "seconds": None}
PLAN = {"nodes": [], "revisions": [], "estimate": BUDGET, "spent": BUDGET, "reason": "So."}
COMPILED = {
    "pipeline": {"name": "p", "steps": []},
    "inputs": {},
    "steps": [],
    "problems": [],
    "constants": [],
}
SHOWS = (
    ("plan", str(TASK_ID)),
    ("compile", str(TASK_ID)),
    ("artifacts", "get", "--task", str(TASK_ID)),
)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as server:
        server.tell(f"GET /tasks/{TASK_ID}", document(a_task()))
        server.tell(f"GET /tasks/{TASK_ID}/plan", document(PLAN))
        server.tell(f"POST /tasks/{TASK_ID}/compile", document(COMPILED))
        server.tell(f"GET /tasks/{TASK_ID}/artifacts", a_page([]))
        yield server


async def test_a_file_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    printed = await agentos(server.url, *SHOWS[0], "-o", f"{tmp_path}/no/p.yaml")
    assert printed.code == 1
    said = "p.yaml cannot be written: No such file or directory. Name another place, on a command"
    assert said in printed.stderr


@pytest.mark.parametrize(
    ("command", "status", "follows"),
    [
        ("pause", "running", "It will pause before its next step or turn.\n"),
        ("pause", "paused", "It is paused.\n"),
        ("cancel", "running", "It is being cancelled.\n"),
        ("cancel", "cancelled", "It is cancelled.\n"),
    ],
)
async def test_what_follows_is_what_is_still_to_come(
    server: Server, command: str, status: str, follows: str
) -> None:
    changed = {"task_id": str(TASK_ID), "status": status}
    server.tell(f"POST /tasks/{TASK_ID}/{command}", document(changed))
    printed = await agentos(server.url, command, str(TASK_ID))
    assert (printed.code, printed.stderr) == (0, follows)


async def test_of_a_long_prompt_its_beginning_is_shown_and_json_has_all(server: Server) -> None:
    prompt = "Clean it.\n" + "And more.\n" * 50
    server.tell(f"GET /tasks/{TASK_ID}", document(a_task(prompt=prompt)))
    printed = await agentos(server.url, "show", str(TASK_ID))
    assert "Clean it. ...\n" in printed.stdout
    assert "And more" not in printed.stdout
    assert "x0a" not in printed.stdout
    whole = await agentos(server.url, "show", str(TASK_ID), "-o", "json")
    assert json.loads(whole.stdout)["prompt"] == prompt


@pytest.mark.parametrize("words", SHOWS, ids=lambda words: words[0])
@pytest.mark.parametrize("option", ["-o", "--output"])
async def test_json_is_a_format_also_where_the_option_names_a_file(
    server: Server,
    words: tuple[str, ...],
    option: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = await agentos(server.url, *words, option, "json")
    assert printed.code == 0, printed.stderr
    assert isinstance(json.loads(printed.stdout), dict)
    assert not Path("json").exists()


@pytest.mark.parametrize("words", SHOWS[:2], ids=lambda words: words[0])
@pytest.mark.parametrize("name", ["out.yaml", "json"])
async def test_a_path_is_a_file_whatever_its_name(
    server: Server, words: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    printed = await agentos(server.url, *words, "-o", f"{tmp_path}/{name}")
    assert (printed.code, printed.stdout) == (0, ""), printed.stderr
    assert (tmp_path / name).read_text()


async def test_the_files_of_one_step_are_fetched_alone(server: Server, tmp_path: Path) -> None:
    made = [
        an_artifact(number, f"{step}.txt", sub_task=step, sha256=sha256(b"hello").hexdigest())
        for number, step in enumerate(("clean", "chart"))
    ]
    server.tell(f"GET /tasks/{TASK_ID}/artifacts", a_page(made))
    for item in made:
        server.tell(f"GET /artifacts/{item.id}", answer(b"hello"))
    wanted = (*SHOWS[2], "--to", str(tmp_path), "--step")
    printed = await agentos(server.url, *wanted, "chart")
    assert (printed.code, printed.stdout) == (0, f"{tmp_path}/chart.txt\n"), printed.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["chart.txt"]
    assert (await agentos(server.url, *wanted, "nope")).code == 5


@pytest.mark.parametrize(
    ("words", "fetched"),
    [
        ((), ["a.csv", "b.csv", "chart.png"]),
        (("*.csv",), ["a.csv", "b.csv"]),
        (("chart/*",), ["chart.png"]),
        (("b.csv", "chart.png"), ["b.csv", "chart.png"]),
        (("00000000-0000-4000-8000-000000000002",), ["chart.png"]),
        (("--step", "clean", "*.csv"), ["a.csv", "b.csv"]),
    ],
    ids=["all", "pattern", "step", "names", "id", "option"],
)
async def test_files_of_a_task_are_chosen_by_names_patterns_and_steps(
    server: Server, tmp_path: Path, words: tuple[str, ...], fetched: list[str]
) -> None:
    steps = {"a.csv": "clean", "b.csv": "clean", "chart.png": "chart"}
    made = [
        an_artifact(number, name, sub_task=step, sha256=sha256(b"hello").hexdigest())
        for number, (name, step) in enumerate(steps.items())
    ]
    made[2] = made[2].model_copy(update={"id": UUID("00000000-0000-4000-8000-000000000002")})
    server.tell(f"GET /tasks/{TASK_ID}/artifacts", a_page(made))
    for item in made:
        server.tell(f"GET /artifacts/{item.id}", answer(b"hello"))
    printed = await agentos(
        server.url, "artifacts", "get", "--task", str(TASK_ID), *words, "-o", str(tmp_path)
    )
    assert (printed.code, sorted(file.name for file in tmp_path.iterdir())) == (0, fetched)
    listed = await agentos(server.url, "artifacts", "ls", str(TASK_ID), *words, "-o", "json")
    assert [item["name"] for item in json.loads(listed.stdout)["items"]] == fetched


async def test_a_name_that_no_file_has_exits_with_5(server: Server) -> None:
    printed = await agentos(server.url, "artifacts", "ls", str(TASK_ID), "no.csv")
    assert (printed.code, printed.stdout) == (5, "")
    assert "no artifact 'no.csv'" in printed.stderr


@pytest.mark.parametrize(("kind", "code"), [("pipeline", 2), ("plan", 0)])
async def test_only_a_plan_has_tasks_that_are_its_nodes(
    server: Server, kind: str, code: int
) -> None:
    server.tell("GET /tasks", a_page([]))
    server.tell(f"GET /tasks/{TASK_ID}", document(a_task(type=kind)))
    printed = await agentos(server.url, "ls", "--parent", str(TASK_ID))
    assert printed.code == code
    assert ("is of type pipeline, so no task is a node of it" in printed.stderr) == (code == 2)


async def test_a_file_is_no_folder_to_write_files_to(server: Server, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    printed = await agentos(server.url, *SHOWS[2], "-o", f"{tmp_path}/x")
    assert (printed.code, server.asked) == (2, [])
