"""What ``agentos init`` makes, run as it says."""

import shutil
from pathlib import Path

import yaml

from tests.live import Live, until


async def test_a_pipeline_that_was_just_made_runs_with_itself_as_its_input(
    live: Live, tmp_path: Path
) -> None:
    made = await live.agentos("init", "pipeline", "sales-report", "--in", str(tmp_path))
    path = str(tmp_path / "sales-report.yaml")
    assert (made.code, made.stdout) == (0, f"{path}\n"), made.stderr
    checked = await live.agentos("pipelines", "validate", path)
    assert (checked.code, checked.stderr) == (0, "")
    done = await live.agentos("submit", "pipeline", path, "--input", f"data={path}", "--wait")
    assert done.code == 0, done.stderr
    shown = await live.agentos("show", done.stdout.strip())
    assert "note.md" in shown.stdout


async def test_a_skill_that_was_just_made_is_found_and_runs_in_the_sandbox(
    live: Live, own_skills: Path, tmp_path: Path
) -> None:
    # Named here, never by what was printed: it is removed in the end.
    folder = own_skills / "word-count"
    made = await live.agentos("init", "skill", folder.name, "--in", str(own_skills))
    assert (made.code, made.stdout) == (0, f"{folder}\n"), made.stderr
    try:
        assert (await live.agentos("skills", "validate", str(folder))).code == 0

        async def is_found() -> bool:
            return (await live.agentos("skills", "show", "word-count")).code == 0

        await until(is_found)
        step = {"id": "count", "skill": "word-count", "args": ["${inputs.data}", "-o", "a.md"]}
        path = tmp_path / "pipeline.yaml"
        path.write_text(yaml.safe_dump({"name": "count", "inputs": ["data"], "steps": [step]}))
        words = ("submit", "pipeline", str(path), "--input", f"data={path}", "--wait")
        done = await live.agentos(*words)
        assert done.code == 0, done.stderr
        assert "a.md" in (await live.agentos("show", done.stdout.strip())).stdout
    finally:
        shutil.rmtree(folder)
