"""The program of the README, as it stands there."""

import asyncio
import re
import shutil
import sys
from pathlib import Path

from tests.folders import PROJECT
from tests.live import Live


async def test_the_program_of_the_readme_runs_as_it_is_written(live: Live, tmp_path: Path) -> None:
    section = (PROJECT / "README.md").read_text().partition("\n## From a program\n")[2]
    [program, *_] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(program.splitlines()) <= 10
    demo = PROJECT / "deploy" / "demo"
    shutil.copy(demo / "pipeline.yaml", tmp_path / "pipeline.yaml")
    shutil.copy(demo / "penguins_raw.csv", tmp_path / "penguins.csv")
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        cwd=tmp_path,
        env={"PYTHONPATH": str(PROJECT), "AGENTOS_API_URL": live.services.api_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = (text.decode() for text in await running.communicate())
    assert running.returncode == 0, errors
    assert "step.completed" in printed
    names = {path.name for path in (tmp_path / "results").rglob("*") if path.is_file()}
    assert names >= set(re.findall(r"'([^']+)'", printed.splitlines()[-1]))
    assert names
