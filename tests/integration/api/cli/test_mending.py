"""Checking a pipeline, mending one that has failed, and running a task once more."""

import itertools
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from tests.integration.api_stage import Stage, pipeline
from tests.integration.cli_runs import agentos, typing

NOWHERE = "http://127.0.0.1:9"
WRONG = """\
name: wrong
inputs: [data]
steps:
  - id: clean
    skill: nosuch
    args: ["${inputs.data}"]
  - id: chart
    tool: write_file
    args: {name: a.txt, text: "${steps.later.stdout}"}
"""


def written(folder: Path, document: Any, name: str = "pipeline.yaml") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return path


async def count_tasks(stage: Stage, name: str) -> int:
    return len((await stage.http.get("/tasks", params={"text": name})).json()["items"])


async def test_each_problem_of_a_pipeline_is_told_with_file_line_column_and_step(
    stage: Stage, tmp_path: Path
) -> None:
    path = written(tmp_path, WRONG)
    checked = await agentos(stage.url, "pipelines", "validate", str(path))
    assert checked.code == 2
    assert f"{path}:5:5: step clean: " in checked.stdout
    assert "nosuch" in checked.stdout
    assert f"{path}:9:25: step chart: " in checked.stdout
    assert "(/pipeline" not in checked.stdout
    [(shown, mark)] = [
        (line, below)
        for line, below in itertools.pairwise(checked.stdout.splitlines())
        if line.startswith("     5 | ")
    ]
    assert (shown[9:], mark[9:]) == ("    skill: nosuch", "    ^")
    assert checked.stderr == ""


async def test_what_is_wrong_with_code_is_told_with_its_line_of_the_file(
    stage: Stage, tmp_path: Path
) -> None:
    text = """\
name: wrong
steps:
  - id: a
    code:
      language: python
      source: |
        import sys

        import yaml
  - id: b
    code: {language: python, source: "import yaml"}
"""
    path = written(tmp_path, text)
    checked = await agentos(stage.url, "pipelines", "validate", str(path))
    assert f"{path}:9:9: step a: line 3 of it imports 'yaml'" in checked.stdout
    assert f"{path}:11:30: step b: line 1 of it imports 'yaml'" in checked.stdout


MISSPELT = """\
name: wrong
steps:
  - id: a
    skill: csv-cleen
    timeot: 5m
  - id: b
    needs: [nobody]
    code: {language: python, source: "import yaml"}
  - id: c
    tool: nosuch
    args: [1, {x: "${steps.zzz.stdout}"}]
"""


async def test_a_field_that_is_wrong_does_not_hide_what_is_wrong_with_others(
    stage: Stage, tmp_path: Path
) -> None:
    checked = await agentos(
        stage.url, "pipelines", "validate", str(written(tmp_path, MISSPELT)), "-o", "json"
    )
    [item] = json.loads(checked.stdout)["items"]
    assert {problem["pointer"] for problem in item["problems"]} >= {
        "/pipeline/steps/0/timeot",
        "/pipeline/steps/0/skill",
        "/pipeline/steps/1/needs/0",
        "/pipeline/steps/1/code/source",
        "/pipeline/steps/2/tool",
    }


async def test_what_only_looks_wrong_for_want_of_a_field_is_not_told(
    stage: Stage, tmp_path: Path
) -> None:
    text = """\
name: wrong
inputs: [data]
steps:
  - id: a
    tol: write_file
    agrs: ["${inputs.data}"]
  - idd: b
    code: {language: python, skil: csv-clean, source: "import csv_file"}
  - id: c
    needs: [b]
    code: {language: shell, source: "true"}
  - {id: d, skill: two, scirpt: a.py}
  - {id: e, skil: two, script: a.py}
"""
    checked = await agentos(
        stage.url, "pipelines", "validate", str(written(tmp_path, text)), "-o", "json"
    )
    [item] = json.loads(checked.stdout)["items"]
    assert sorted(problem["pointer"] for problem in item["problems"]) == [
        "/pipeline/steps/0/agrs",
        "/pipeline/steps/0/tol",
        "/pipeline/steps/1/code/skil",
        "/pipeline/steps/1/idd",
        "/pipeline/steps/3/scirpt",
        "/pipeline/steps/4/skil",
    ]


async def test_without_a_server_a_pipeline_is_checked_as_far_as_that_goes_and_this_is_said(
    tmp_path: Path,
) -> None:
    wrong = written(tmp_path, WRONG)
    # Tabs are no YAML, and the best of JSON.
    sound = written(tmp_path, json.dumps(pipeline("print x"), indent="\t"), "sound.json")
    checked = await agentos(NOWHERE, "pipelines", "validate", str(wrong), str(sound))
    assert checked.code == 2
    assert f"{wrong}:9:25: step chart: " in checked.stdout
    assert "nosuch" not in checked.stdout
    assert checked.stderr.count("Not checked: skills, tools") == 1
    alone = await agentos(NOWHERE, "pipelines", "validate", str(sound), "-o", "json")
    assert alone.code == 0
    [item] = json.loads(alone.stdout)["items"]
    assert item["valid"]
    assert NOWHERE in item["unchecked"]


async def test_what_is_no_pipeline_at_all_is_told_beside_the_others(tmp_path: Path) -> None:
    path = written(tmp_path, "name: x\nsteps: [\n  - a\n")
    empty, sound = written(tmp_path, "", "e.yaml"), written(tmp_path, pipeline("x"), "s.yaml")
    binary = tmp_path / "b.yaml"
    binary.write_bytes(bytes(9))
    paths = (path, empty, binary, tmp_path / "none.yaml", sound)
    checked = await agentos(NOWHERE, "pipelines", "validate", *map(str, paths))
    assert checked.code == 2
    for said in (
        f"{path}:3:3: this is not valid YAML",
        f"{empty}:1:1: there is nothing in it",
        f"{binary}: {binary} is not a pipeline: it is a binary file",
        "none.yaml cannot be read: there is no such file",
    ):
        assert said in checked.stdout
    assert [line for line in checked.stdout.splitlines() if "✓" in line] == [f"✓ {sound}"]


async def test_a_dry_run_of_a_pipeline_judges_inputs_and_submits_and_uploads_nothing(
    stage: Stage, tmp_path: Path
) -> None:
    name = f"dry-{uuid4()}"
    path = written(tmp_path, {**pipeline("INPUT_X INPUT_Y"), "inputs": ["x", "y"], "name": name})
    file = written(tmp_path, name, f"{name}.csv")
    words = ("submit", "pipeline", str(path), "--dry-run", "--input", f"x={file}")
    missing = await agentos(stage.url, *words)
    assert missing.code == 2
    place = f"{path}:{path.read_text().split('inputs:')[0].count(chr(10)) + 1}:1: "
    assert f"{place}input 'y' is declared by the pipeline but not given" in missing.stdout
    gone = await agentos(stage.url, *words, "--input", f"y=file:{uuid4()}")
    assert gone.code == 2
    assert "(/inputs/y)" in gone.stdout
    sound = await agentos(stage.url, *words, "--input", f"y={file}")
    assert (sound.code, sound.stderr) == (0, "")
    assert "would run a (shell code)" in sound.stdout
    assert await count_tasks(stage, name) == 0
    uploads = (await stage.http.get("/files")).json()["items"]
    assert file.name not in [each["name"] for each in uploads]


async def names_of_uploads(stage: Stage) -> list[str]:
    return [each["name"] for each in (await stage.http.get("/files")).json()["items"]]


async def test_what_is_uploaded_for_a_look_or_a_refused_request_is_there_for_the_next_try(
    stage: Stage, tmp_path: Path
) -> None:
    definition = {**pipeline("INPUT_X", "fail"), "inputs": ["x"]}
    before, file = (written(tmp_path, str(uuid4()), f"{uuid4()}.csv") for _ in range(2))
    words = ("submit", "pipeline", str(written(tmp_path, definition)), "--input")
    task_id = (await agentos(stage.url, *words, f"x={before}")).stdout.strip()
    await stage.until(task_id, "failed")
    refused = await agentos(stage.url, "retry", task_id, "--input", f"y={file}")
    assert refused.code == 2
    assert file.name in await names_of_uploads(stage)
    given = f"x={file}"
    foreseen = await agentos(stage.url, "retry", task_id, "--dry-run", "--input", given)
    assert (foreseen.code, "was uploaded before" in foreseen.stderr) == (0, True)
    assert (await agentos(stage.url, "retry", task_id, "--input", given)).code == 0
    await stage.until(task_id, "failed")
    looked = await agentos(stage.url, "files", "rm", file.name, "--dry-run")
    assert (looked.code, len(looked.stdout.split())) == (0, 1)
    assert file.name in await names_of_uploads(stage)


async def test_a_dry_run_of_a_prompt_says_what_is_wrong_with_its_options(stage: Stage) -> None:
    words = ("submit", "agent", "Do it", "--dry-run")
    checked = await agentos(stage.url, *words, "--tool", "nosuch", "-o", "json")
    assert checked.code == 2
    problems = json.loads(checked.stdout)["problems"]
    assert any("nosuch" in each["message"] for each in problems)


async def test_a_mended_pipeline_keeps_what_came_before_the_first_change_and_says_so(
    stage: Stage, tmp_path: Path
) -> None:
    broken = pipeline("print one", "fail", "print three")
    task_id = await stage.submit("print one", "fail", "print three")
    await stage.until(task_id, "failed")
    path = written(tmp_path, {**broken, "steps": pipeline("print one", "print two")["steps"]})
    words = ("retry", task_id, "--pipeline", str(path))
    foreseen = await agentos(stage.url, *words, "--dry-run", "-o", "json")
    plan = json.loads(foreseen.stdout)
    assert [step["step"] for step in plan["kept_steps"]] == ["a"]
    assert [step["step"] for step in plan["redone_steps"]] == ["b"]
    assert (await stage.task(task_id))["status"] == "failed"
    done = await agentos(stage.url, *words, "--wait")
    assert done.code == 0, done.stderr
    assert "Keeps: a. Runs again: b (" in done.stderr
    task = await stage.task(task_id)
    assert [step["name"] for step in task["sub_tasks"]] == ["a", "b"]
    assert task["usage"]["attempts"] == 3  # a once, b twice


async def test_what_is_new_of_each_step_is_said_before_it_begins(
    stage: Stage, tmp_path: Path
) -> None:
    task_id = await stage.submit("print one", "print two", "fail")
    await stage.until(task_id, "failed")
    new = {**pipeline("print one", "print two", "print three", "print four"), "description": "d"}
    new["steps"][1] |= {"retries": 1, "timeout": "1h"}
    words = ("retry", task_id, "--pipeline", str(written(tmp_path, new)))
    foreseen = await agentos(stage.url, *words, "--dry-run")
    assert [line.split() for line in foreseen.stdout.splitlines()][:4] == [
        ["New", "description", "changed"],
        ["b:", "timeout,", "retries", "changed"],
        ["c:", "code", "changed"],
        ["d:", "added"],
    ]
    done = await agentos(stage.url, *words, "--wait")
    assert done.code == 0, done.stderr
    assert done.stderr.splitlines()[:6] == [
        "New in the pipeline:",
        "  description changed",
        "  b: timeout, retries changed",
        "  c: code changed",
        "  d: added",
        "Keeps: a, b. Runs again: c, d (last time: 0.0s, and 1 step that never ran).",
    ]


async def test_a_file_that_is_the_same_as_what_the_task_has_is_said_to_be(
    stage: Stage, tmp_path: Path
) -> None:
    task_id = await stage.submit("print one", "fail")
    await stage.until(task_id, "failed")
    same = pipeline("print one", "fail")
    same["steps"][0] |= {"timeout": "300s", "retries": 3, "args": []}
    path = written(tmp_path, "# Nothing but a comment.\n" + yaml.safe_dump(same))
    words = ("retry", task_id, "--pipeline", str(path))
    foreseen = await agentos(stage.url, *words, "--dry-run")
    assert "New          nothing: the pipeline is the same as that of the task" in foreseen.stdout
    done = await agentos(stage.url, *words)
    assert done.code == 0
    assert done.stderr.startswith("The pipeline is the same as that of the task.\nKeeps: a. Runs")


async def test_a_retry_sets_parameters_of_the_task_or_of_the_file(
    stage: Stage, tmp_path: Path
) -> None:
    document = {**pipeline("print one", "fail"), "parameters": {"kind": "bar", "rows": 5}}
    for step, name in zip(document["steps"], ("kind", "rows"), strict=True):
        step["args"] = [f"${{parameters.{name}}}"]
    answer = await stage.http.post("/tasks", json={"pipeline": document})
    task_id = answer.json()["task_id"]
    await stage.until(task_id, "failed")
    for options, said in (
        (("kin=line",), "no parameter 'kin' (it has: kind, rows); did you mean 'kind'?"),
        (("rows=many",), "it must be a number"),
        (("rows=NaN",), "finite"),
        (("kind=a", "--set", "kind=b"), "given twice"),
    ):
        refused = await agentos(stage.url, "retry", task_id, "--set", *options)
        assert refused.code == 2
        assert said in " ".join(refused.stderr.split())
    mine = await agentos(stage.url, "retry", task_id, "--set", "rows=7", "--dry-run")
    assert [line.split() for line in mine.stdout.splitlines()][:3] == [
        ["New", "parameters", "(rows)", "changed"],
        ["b:", "args", "changed"],
        ["Kept", "a"],
    ]
    document["steps"][1]["code"]["source"] = "print two"
    words = ("--pipeline", str(written(tmp_path, document)), "--set", "rows=7", "--wait")
    done = await agentos(stage.url, "retry", task_id, *words)
    assert done.code == 0, done.stderr
    assert "  b: code, args changed" in done.stderr
    task = await stage.task(task_id)
    assert task["definition"]["parameters"] == {"kind": "bar", "rows": 7}
    many = await agentos(stage.url, "retry", "--all", "--set", "rows=7")
    assert (many.code, "single task" in many.stderr) == (2, True)


async def test_on_a_terminal_another_parameter_is_asked_about(stage: Stage) -> None:
    document = {**pipeline("print one"), "parameters": {"kind": "bar"}}
    document["steps"][0]["args"] = ["${parameters.kind}"]
    answer = await stage.http.post("/tasks", json={"pipeline": document})
    task_id = answer.json()["task_id"]
    await stage.until(task_id, "completed")
    async with typing(stage.url, "retry", task_id, "--set", "kind=x", columns=100) as run:
        await run.until_seen("a: args changed", "Run these again? What they made is replaced.")
        run.type("n\r")
        assert await run.end() == 1
    assert (await stage.task(task_id))["run"] == 1


async def test_on_a_terminal_a_new_pipeline_is_asked_about_and_no_leaves_all_as_it_was(
    stage: Stage, tmp_path: Path
) -> None:
    task_id = await stage.submit("print one", "fail")
    await stage.until(task_id, "failed")
    path = written(tmp_path, pipeline("print one", "print two"), "new.yaml")
    words = ("retry", task_id, "--pipeline", str(path))
    async with typing(stage.url, *words, columns=100) as run:
        await run.until_seen("Keeps: a.", "Go on with the pipeline in", "y/N]")
        run.type("n\r")
        assert await run.end() == 1
    assert (await stage.task(task_id))["run"] == 1
    async with typing(stage.url, *words, "--yes", columns=100) as run:
        assert await run.end() == 0
        assert "y/N]" not in run.picture.text
    await stage.until(task_id, "completed")


async def test_ctrl_c_at_a_question_ends_the_command_and_leaves_all_as_it_was(
    stage: Stage, tmp_path: Path
) -> None:
    task_id = await stage.submit("fail")
    await stage.until(task_id, "failed")
    path = written(tmp_path, pipeline("print two"), "new.yaml")
    for words in (
        ("retry", task_id, "--pipeline", str(path)),
        ("retry", "--name", "test", "--status", "failed"),
        ("dlq", "requeue", "--all"),
        ("dlq", "discard", "--all", "--note", "x"),
        ("rm", task_id),
    ):
        async with typing(stage.url, *words, columns=100) as run:
            await run.until_seen("N]:")
            assert await run.interrupt() == 1, words
            assert "Aborted." in run.picture.text
    assert (await stage.task(task_id))["run"] == 1


async def test_of_steps_side_by_side_only_those_run_again_that_need_what_was_mended(
    stage: Stage, tmp_path: Path
) -> None:
    document = pipeline("print a", "print b", "fail", "print d")
    for step, needs in zip(document["steps"], ([], ["a"], ["a"], ["b", "c"]), strict=True):
        step["needs"] = needs
    answer = await stage.http.post("/tasks", json={"pipeline": document})
    task_id = answer.json()["task_id"]
    await stage.until(task_id, "failed")
    document["steps"][2]["code"]["source"] = "print c"
    path = written(tmp_path, document)
    done = await agentos(stage.url, "retry", task_id, "--pipeline", str(path), "--wait")
    assert done.code == 0, done.stderr
    assert "Keeps: a, b. Runs again: c, d (" in done.stderr


async def test_a_task_is_run_once_more_with_another_input_and_parameter(
    stage: Stage, tmp_path: Path
) -> None:
    document = {
        **pipeline("print INPUT_DATA"),
        "inputs": ["data"],
        "parameters": {"rows": 5},
    }
    document["steps"][0]["args"] = ["${parameters.rows}"]
    one, other = written(tmp_path, "1\n", "1.csv"), written(tmp_path, str(uuid4()), "2.csv")
    words = ("--input", f"data={one}", "--priority", "8", "--no-cache")
    first = await agentos(
        stage.url, "submit", "pipeline", str(written(tmp_path, document)), *words, "--wait"
    )
    task_id = first.stdout.strip()
    again = await agentos(
        *(stage.url, "rerun", task_id, "--input", f"data={other}", "--set", "rows=7", "--wait")
    )
    assert again.code == 0, again.stderr
    task, before = await stage.task(again.stdout.strip()), await stage.task(task_id)
    assert task["task_id"] != task_id
    assert task["inputs"] != before["inputs"]
    assert (task["priority"], task["type"], task["run"]) == (8, "pipeline", 1)
    assert task["definition"]["parameters"] == {"rows": 7}
    assert before["definition"]["parameters"] == {"rows": 5}
    for option, said in (
        (("--set", "rows=many"), "it must be a number"),
        (("--set", "row=1"), "no parameter 'row'"),
        (("--input", f"date={one}"), "did you mean 'data'"),
    ):
        refused = await agentos(stage.url, "rerun", task_id, *option)
        assert refused.code == 2
        assert said in " ".join(refused.stderr.split())


async def test_a_dry_run_of_a_rerun_shows_what_would_be_submitted_and_uploads_nothing(
    stage: Stage, tmp_path: Path
) -> None:
    document = {**pipeline("print INPUT_DATA"), "inputs": ["data"], "parameters": {"rows": 5}}
    document["name"] = f"foreseen {uuid4()}"
    document["steps"][0]["args"] = ["${parameters.rows}"]
    one, other = (written(tmp_path, str(uuid4()), f"{uuid4().hex}.csv") for _ in range(2))
    path = str(written(tmp_path, document))
    words = ("submit", "pipeline", path, "--input", f"data={one}", "--wait")
    task_id = (await agentos(stage.url, *words)).stdout.strip()
    again = ("rerun", task_id, "--input", f"data={other}", "--set", "rows=7", "--dry-run")
    shown = await agentos(stage.url, *again)
    assert (shown.code, shown.stderr) == (0, "")
    lines = [line.strip() for line in shown.stdout.splitlines()]
    assert lines[0].endswith(f"{task_id}  would run a (shell code); input data")
    for line in (
        "Parameters   rows=7",
        "/inputs/data",
        f"+ {other}",
        "/pipeline/parameters/rows",
        "- 5",
        "+ 7",
    ):
        assert line in lines
    assert f"data={other}, to be uploaded" in shown.stdout.replace("\n             ", "")
    told = json.loads((await agentos(stage.url, *again, "-o", "json")).stdout)
    assert (told["uploads"], told["valid"]) == ({"data": str(other)}, True)
    assert told["request"]["pipeline"]["parameters"] == {"rows": 7}
    same = await agentos(stage.url, "rerun", task_id, "--dry-run")
    assert same.stdout.endswith("Different from the task\nNothing.\n")
    assert await count_tasks(stage, document["name"]) == 1
    files = (await stage.http.get("/files", params={"limit": "200"})).json()["items"]
    assert other.name not in {file["name"] for file in files}


async def test_a_dry_run_of_a_rerun_that_would_be_refused_says_why(
    stage: Stage, tmp_path: Path
) -> None:
    document = {**pipeline("print INPUT_DATA"), "inputs": ["data"]}
    content = written(tmp_path, str(uuid4()), "a.csv")
    path = str(written(tmp_path, document))
    words = ("submit", "pipeline", path, "--input", f"data={content}", "--wait")
    task_id = (await agentos(stage.url, *words)).stdout.strip()
    [given] = (await stage.task(task_id))["inputs"].values()
    mistyped = await agentos(stage.url, "rerun", task_id, "--input", f"date={content}", "--dry-run")
    assert mistyped.code == 2
    assert "did you mean 'data'? (/inputs/date)" in mistyped.stdout
    deleted = await stage.http.delete(f"/files/{given.removeprefix('file:')}")
    assert deleted.status_code == 204
    gone = await agentos(stage.url, "rerun", task_id, "--dry-run")
    assert gone.code == 2
    assert "(/inputs/data)" in gone.stdout
    mended = await agentos(stage.url, "rerun", task_id, "--input", f"data={content}", "--dry-run")
    assert mended.code == 0, mended.stdout
