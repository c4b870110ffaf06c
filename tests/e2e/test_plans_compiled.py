"""A plan, compiled on the whole stack: the same bytes again, and other ones of other files."""

from pathlib import Path

import yaml

from tests.live import Live

PROMPT = "Clean both files, profile each, and write one report of both"


async def test_the_plan_of_the_demo_compiles_and_its_pipeline_makes_the_same_bytes(
    live: Live, tmp_path: Path
) -> None:
    rows = ("ada,36\nbob,\n", "eve,41\neve,41\n", "ivy,8\n", "max,90\nmia,\n")
    for name, text in zip("abcd", rows, strict=True):
        (tmp_path / f"{name}.csv").write_text(f"name,age\n{text}")
    given = [f"--input={name}={tmp_path / name}.csv" for name in "ab"]
    planned = await live.agentos("submit", "auto", PROMPT, *given, "--wait")
    assert planned.code == 0, planned.stderr
    task = await live.task(planned.stdout.strip())
    assert task["type"] == "plan"

    target = tmp_path / "compiled.yaml"
    printed = await live.agentos("compile", task["task_id"], "-o", str(target), "--check")
    assert printed.code == 0, printed.stderr
    made = {artifact["name"] for artifact in task["artifacts"]} - {"output.json"}
    assert f"{len(made)} of {len(made)} files are the same." in printed.stderr

    pipeline = yaml.safe_load(target.read_text())
    assert set(pipeline["inputs"]) == {"a", "b"}
    steps = [step["id"] for step in pipeline["steps"]]
    assert set(steps) == {"clean-a", "clean-b", "profile-a", "profile-b", "report"}
    assert steps[-1] == "report"

    others = [f"--input=a={tmp_path / 'c.csv'}", f"--input=b={tmp_path / 'd.csv'}"]
    again = await live.agentos("submit", "pipeline", str(target), *others, "--wait")
    assert again.code == 0, again.stderr
    ended = await live.task(again.stdout.strip())
    assert {artifact["name"] for artifact in ended["artifacts"]} == made
    digests = {artifact["sha256"] for artifact in task["artifacts"]}
    assert digests.isdisjoint(artifact["sha256"] for artifact in ended["artifacts"])
