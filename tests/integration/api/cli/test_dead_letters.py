"""``agentos dlq``, and what a retry would do, on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api_stage import Stage, pipeline
from tests.integration.cli_runs import agentos


async def _failed(stage: Stage, *sources: str) -> tuple[str, dict[str, Any]]:
    task_id = await stage.submit(*sources)
    await stage.until(task_id, "failed")
    answer = await stage.http.get("/dead-letters", params={"task_id": task_id})
    [letter] = answer.json()["items"]
    return task_id, letter


async def test_dead_letters_are_listed_grouped_and_shown(stage: Stage) -> None:
    task_id, letter = await _failed(stage, "print x", "fail")
    listed = await agentos(stage.url, "dlq", "ls", "--task", task_id, "--type", "pipeline")
    assert listed.code == 0, listed.stderr
    for shown in (letter["id"], task_id, "script-failed", "open"):
        assert shown in listed.stdout
    of_group = ("dlq", "ls", "--fingerprint", letter["fingerprint"], "--text", "as told", "--all")
    found = json.loads((await agentos(stage.url, *of_group, "-o", "json")).stdout)
    assert letter in found["items"]
    grouped = await agentos(stage.url, "dlq", "groups", "--text", "as told")
    assert letter["fingerprint"] in grouped.stdout
    shown = await agentos(stage.url, "dlq", "show", letter["id"][:13])
    assert "It failed as told." in shown.stdout
    whole = await agentos(stage.url, "dlq", "show", letter["id"], "-o", "json")
    assert json.loads(whole.stdout) == letter


async def test_a_requeue_is_shown_before_it_is_made(stage: Stage, tmp_path: Path) -> None:
    task_id, letter = await _failed(stage, "print x", "fail")
    mended = tmp_path / "mended.yaml"
    mended.write_text(json.dumps(pipeline("print x", "print y")))
    words = ("dlq", "requeue", letter["id"], "--pipeline", str(mended), "--note", "mended")
    foreseen = await agentos(stage.url, *words, "--plan")
    assert foreseen.code == 0, foreseen.stderr
    assert [line.split() for line in foreseen.stdout.splitlines()][:3] == [
        ["New", "b:", "code", "changed"],
        ["Kept", "a"],
        ["Runs", "again", "b"],
    ]
    assert (await stage.task(task_id))["run"] == 1
    done = await agentos(stage.url, *words, "--wait")
    assert (done.code, done.stdout.strip()) == (0, task_id)
    ended = await agentos(stage.url, "dlq", "show", letter["id"])
    assert "requeued" in ended.stdout
    assert "mended" in ended.stdout


async def test_a_requeue_may_set_a_parameter_of_the_pipeline_of_its_task(stage: Stage) -> None:
    document = {**pipeline("print x", "fail"), "parameters": {"kind": "bar"}}
    document["steps"][1]["args"] = ["${parameters.kind}"]
    answer = await stage.http.post("/tasks", json={"pipeline": document})
    task_id = answer.json()["task_id"]
    await stage.until(task_id, "failed")
    found = await stage.http.get("/dead-letters", params={"task_id": task_id})
    letter_id = found.json()["items"][0]["id"]
    words = ("dlq", "requeue", letter_id, "--set")
    foreseen = await agentos(stage.url, *words, "kind=line", "--plan", "-o", "json")
    assert json.loads(foreseen.stdout)["changes"]["parameters"] == ["kind"]
    wrong = await agentos(stage.url, *words, "kin=line")
    assert (wrong.code, "did you mean 'kind'" in " ".join(wrong.stderr.split())) == (2, True)
    many = await agentos(stage.url, "dlq", "requeue", "--all", "--set", "kind=line")
    assert (many.code, "--pipeline" in many.stderr) == (2, True)
    assert (await agentos(stage.url, *words, "kind=line")).code == 0
    await stage.until(task_id, "failed")
    task = await stage.task(task_id)
    assert (task["run"], task["definition"]["parameters"]) == (2, {"kind": "line"})


async def test_what_a_retry_would_do_is_shown_as_a_table_or_as_json(stage: Stage) -> None:
    task_id, _ = await _failed(stage, "print x", "print y", "fail")
    words = ("retry", task_id, "--from", "b", "--plan")
    foreseen = json.loads((await agentos(stage.url, *words, "-o", "json")).stdout)
    assert [step["step"] for step in foreseen["kept_steps"]] == ["a"]
    assert [step["step"] for step in foreseen["redone_steps"]] == ["b", "c"]
    table = await agentos(stage.url, *words)
    assert "b, c" in table.stdout
    assert (await stage.task(task_id))["run"] == 1


async def test_a_discard_wants_a_reason(stage: Stage) -> None:
    _, letter = await _failed(stage, "fail")
    assert (await agentos(stage.url, "dlq", "discard", letter["id"])).code == 2
    done = await agentos(stage.url, "dlq", "discard", letter["id"], "--note", "Nobody needs it.")
    assert (done.code, "discarded" in done.stdout) == (0, True)
    again = await agentos(stage.url, "dlq", "requeue", letter["id"])
    assert again.code == 2
    assert "it was discarded by local user" in again.stderr


@pytest.mark.parametrize(
    ("letter_id", "code", "message"),
    [
        ("nonsense", 2, "is not the id of a dead letter"),
        ("12345", 2, "is not the id of a dead letter"),
        ("ffffffff", 5, "has an id that begins with ffffffff"),
        ("00000000-0000-4000-8000-00000000000f", 5, "There is no dead letter"),
    ],
    ids=["no-id", "too-short", "unknown-beginning", "unknown"],
)
async def test_a_dead_letter_that_is_not_there_is_said_so(
    stage: Stage, letter_id: str, code: int, message: str
) -> None:
    printed = await agentos(stage.url, "dlq", "show", letter_id)
    assert printed.code == code, printed.stderr
    assert message in " ".join(printed.stderr.split())
