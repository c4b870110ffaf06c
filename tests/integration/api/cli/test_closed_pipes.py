"""Commands whose output nobody reads any more, as behind ``head``."""

from pathlib import Path
from typing import Literal
from uuid import uuid4

import yaml

from tests.integration.api_stage import Stage, pipeline
from tests.integration.cli_runs import agentos, start

Stream = Literal["stdout", "stderr"]


async def unread(stage: Stage, *words: str, closed: tuple[Stream, ...]) -> int:
    """The exit code of a command of whose output nobody reads a byte."""
    run = await start(stage.url, *words, unread=closed)
    return (await run.end()).code


async def failed(stage: Stage, folder: Path) -> tuple[str, Path]:
    definition = {**pipeline("INPUT_X", "fail"), "inputs": ["x"]}
    file, data = folder / "pipeline.yaml", folder / "x.csv"
    file.write_text(yaml.safe_dump(definition))
    data.write_text(str(uuid4()))
    words = ("submit", "pipeline", str(file), "--input", f"x={data}")
    task_id = (await agentos(stage.url, *words)).stdout.strip()
    await stage.until(task_id, "failed")
    return task_id, file


async def test_a_retry_is_made_though_nobody_reads_what_is_said_of_it(
    stage: Stage, tmp_path: Path
) -> None:
    task_id, file = await failed(stage, tmp_path)
    words = ("retry", task_id, "--pipeline", str(file), "--yes")
    assert await unread(stage, *words, closed=("stderr",)) == 0
    await stage.until(task_id, "failed")
    assert await unread(stage, *words, closed=("stdout", "stderr")) == 141
    await stage.until(task_id, "failed")
    assert len((await stage.http.get(f"/tasks/{task_id}/logs?step=b")).json()["items"]) == 3


async def test_an_error_that_nobody_reads_has_its_exit_code(stage: Stage) -> None:
    assert await unread(stage, "show", str(uuid4()), closed=("stderr",)) == 5


async def test_a_list_that_nobody_reads_to_its_end_ends_well(stage: Stage) -> None:
    assert await unread(stage, "tools", "ls", closed=("stdout",)) == 0


async def test_what_is_not_deleted_since_nobody_reads_is_no_success(
    stage: Stage, tmp_path: Path
) -> None:
    first, _ = await failed(stage, tmp_path)
    second, _ = await failed(stage, tmp_path)
    assert await unread(stage, "rm", first, second, "--yes", closed=("stdout",)) == 141


async def test_a_bulk_requeue_that_has_begun_keeps_its_input_though_nobody_reads(
    stage: Stage, tmp_path: Path
) -> None:
    await failed(stage, tmp_path)
    file = tmp_path / f"{uuid4()}.csv"
    file.write_text("other")
    letters = ("dlq", "requeue", "--text", str(uuid4()), "--input", f"x={file}", "--yes")
    assert await unread(stage, *letters, closed=("stdout",)) == 141
    uploads = (await stage.http.get("/files")).json()["items"]
    assert file.name in [each["name"] for each in uploads]
