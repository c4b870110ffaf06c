"""``agentos dlq requeue|discard`` of many dead letters, and ``agentos bulk``."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.services import Services
from tests.integration.api_stage import Stage, api_stage, pipeline
from tests.integration.cli_runs import agentos, start

BAD, GOOD = "https://files.example/bad", "https://files.example/good"


@pytest.fixture(scope="module")
async def own(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API of this module's own, whose bulk runs are quick."""
    async with api_stage(infrastructure, skills_folder, bulk_interval_seconds=0.05) as stage:
        yield stage


async def fail_tasks(stage: Stage, count: int, name: str) -> list[str]:
    """Tasks of that name that fail with the bad input, and with no other."""
    made = {**pipeline(f"refuse data {BAD}\nINPUT_DATA"), "name": name, "inputs": ["data"]}
    body = {"pipeline": made, "inputs": {"data": BAD}}
    answers = [await stage.http.post("/tasks", json=body) for _ in range(count)]
    ids = [str(answer.json()["task_id"]) for answer in answers]
    for task_id in ids:
        await stage.until(task_id, "failed")
    return ids


async def run_of(stage: Stage, bulk_id: str) -> dict[str, Any]:
    return dict((await stage.http.get(f"/bulk/{bulk_id}")).json())


async def test_many_are_foreseen_requeued_and_awaited(own: Stage) -> None:
    ids = await fail_tasks(own, 3, "mended")
    words = ("dlq", "requeue", "--text", "mended", "--since", "1h", "--input", f"data={GOOD}")
    foreseen = await agentos(own.url, *words, "--dry-run")
    assert foreseen.code == 0, foreseen.stderr
    assert foreseen.stdout.splitlines()[0].split() == ["Tasks", "3"]
    assert (await own.task(ids[0]))["run"] == 1
    done = await agentos(own.url, *words, "--rate", "6000", "--note", "Mended", "--wait")
    assert done.code == 0, done.stderr
    assert "3 dead letters: 3 completed" in done.stderr
    bulk_id = done.stdout.strip()
    shown = await agentos(own.url, "bulk", "show", bulk_id[:8])
    for text in (bulk_id, "completed", "text=mended", "Mended", "local user"):
        assert text in shown.stdout
    as_json = await agentos(own.url, "bulk", "show", bulk_id, "-o", "json")
    assert json.loads(as_json.stdout) == await run_of(own, bulk_id)
    listed = await agentos(own.url, "bulk", "ls")
    assert bulk_id in listed.stdout


async def test_a_hopeless_run_says_why_it_stopped_and_exits_with_1(own: Stage) -> None:
    await fail_tasks(own, 3, "hopeless")
    words = ("dlq", "requeue", "--text", "hopeless", "--canary", "1", "--rate", "6000", "--wait")
    done = await agentos(own.url, *words, "-o", "json")
    assert done.code == 1
    run = json.loads(done.stdout)
    assert (run["state"], run["canary"], run["counts"]["left"]) == ("stopped", 1, 2)
    assert "stopped: the first task that ran again failed in the same way" in done.stderr


async def test_a_run_is_aborted_by_the_beginning_of_its_id(own: Stage) -> None:
    await fail_tasks(own, 3, "slow")
    words = ("dlq", "requeue", "--text", "slow", "--canary", "0", "--rate", "1")
    started = await agentos(own.url, *words, "-o", "json")
    bulk_id = json.loads(started.stdout)["id"]
    assert f"agentos bulk show {bulk_id}" in started.stderr
    aborted = await agentos(own.url, "bulk", "abort", bulk_id[:8], "--note", "No")
    assert (aborted.code, aborted.stdout.split()) == (0, [bulk_id, "aborted"])
    assert (await run_of(own, bulk_id))["reason"] == "No"
    again = await agentos(own.url, "bulk", "abort", bulk_id, "-o", "json")
    assert json.loads(again.stdout)["state"] == "aborted"


async def test_many_are_discarded_once_it_is_said_why(own: Stage) -> None:
    await fail_tasks(own, 2, "unwanted")
    words = ("dlq", "discard", "--text", "unwanted")
    foreseen = await agentos(own.url, *words, "--dry-run")
    assert (foreseen.code, foreseen.stdout.strip()) == (0, "2")
    refused = await agentos(own.url, *words)
    assert refused.code == 2
    assert "say why" in refused.stderr
    done = await agentos(own.url, *words, "--note", "Not needed", "--wait")
    assert done.code == 0, done.stderr
    assert "2 dead letters: 2 discarded" in done.stderr


@pytest.mark.parametrize(("typed", "runs"), [("n\n", 0), ("y\n", 1)])
async def test_on_a_terminal_one_is_asked_first_and_told_the_number(
    own: Stage, typed: str, runs: int
) -> None:
    name = f"asked{runs}"
    await fail_tasks(own, 2, name)
    ours, theirs = os.openpty()
    os.write(ours, typed.encode())
    words = ("dlq", "requeue", "--text", name, "-o", "json")
    before = len((await own.http.get("/bulk")).json()["items"])
    done = await agentos(own.url, *words, stdin=Path(os.ttyname(theirs)))
    os.close(ours)
    os.close(theirs)
    assert "Requeue 2 dead letters?" in done.stderr
    assert (done.code == 0) is bool(runs)
    assert len((await own.http.get("/bulk")).json()["items"]) == before + runs


@pytest.mark.parametrize(
    "words", [("dlq", "discard", "--note", "old"), ("rm", "--status", "failed")], ids=" ".join
)
async def test_what_comes_between_the_question_and_the_answer_is_left_alone(
    own: Stage, words: tuple[str, ...]
) -> None:
    name = f"asked {words[0]}"
    await fail_tasks(own, 2, name)
    ours, theirs = os.openpty()
    asked = await start(
        own.url, *words, "--text", name, "-o", "json", stdin=Path(os.ttyname(theirs))
    )
    await asked.stderr.readuntil(b"?")
    [later] = await fail_tasks(own, 1, name)
    os.write(ours, b"y\n")
    done = await asked.end()
    os.close(ours)
    os.close(theirs)
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["total"] == 2
    assert (await own.task(later))["status"] == "failed"
    letters = (await own.http.get("/dead-letters", params={"task_id": later})).json()["items"]
    assert [letter["state"] for letter in letters] == ["open"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("dlq", "requeue"), "say which"),
        (("dlq", "discard", "--note", "x"), "say which"),
        (("dlq", "requeue", "0c9b12", "--all"), "about that one alone"),
        (("dlq", "requeue", "0c9b12", "--canary", "2"), "about that one alone"),
        (("dlq", "requeue", "--all", "--text", "x"), "not both"),
        (("dlq", "requeue", "--all", "--rate", "6001"), "6000"),
        (("dlq", "requeue", "--since", "tomorrow"), "is no time"),
    ],
    ids=" ".join,
)
async def test_a_command_that_does_not_say_which_is_refused(
    own: Stage, words: tuple[str, ...], said: str
) -> None:
    done = await agentos(own.url, *words)
    assert done.code == 2
    assert said in " ".join(done.stderr.split())


async def test_a_bulk_run_that_there_is_not_exits_with_5(own: Stage) -> None:
    for bulk_id in ("0c9b12", "0c9b12aa-0000-4000-8000-000000000000"):
        assert (await agentos(own.url, "bulk", "show", bulk_id)).code == 5
