"""Commands that are not told where the API is, in the folder of a stack."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from api.addresses import DEFAULT_URL
from deploy.local.state import DataFolder, RunningPart
from deploy.local.tcp_ports import choose_ports
from tests.integration.api_stage import Stage
from tests.integration.cli_runs import agentos


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataFolder]:
    """A folder that is held, as by a stack."""
    data = DataFolder(tmp_path / "data")
    data.acquire()
    yield data
    data.release()


async def test_commands_talk_to_the_stack_of_their_folder(stage: Stage, data: DataFolder) -> None:
    data.publish({"api": RunningPart(stage.url, os.getpid())})
    listed = await agentos("", "ls", "-o", "json", AGENTOS_DATA_DIR=str(data.path))
    assert listed.code == 0, listed.stderr
    place = ("--data-dir", str(data.path), "-o", "json")
    status = json.loads((await agentos("", "status", *place)).stdout)
    assert status["api_url"] == stage.url
    assert status["counts"] is not None


async def test_an_api_that_is_named_is_asked_and_not_that_of_the_folder(
    stage: Stage, data: DataFolder
) -> None:
    data.publish({"api": RunningPart("http://127.0.0.1:1", os.getpid())})
    for words in (("ls",), ("status", "--data-dir", str(data.path))):
        asked = await agentos(stage.url, *words, "-o", "json", AGENTOS_DATA_DIR=str(data.path))
        assert "127.0.0.1:1 " not in asked.stderr
        assert asked.stdout, asked.stderr


async def test_while_the_api_of_a_stack_is_away_nobody_is_told_to_start_another(
    data: DataFolder,
) -> None:
    (nobody,) = choose_ports([None])
    data.publish({"api": RunningPart(f"http://127.0.0.1:{nobody}", os.getpid())})
    told = await agentos("", "ls", AGENTOS_DATA_DIR=str(data.path))
    assert told.code == 1
    assert f"The API of `agentos up` on {data.path} does not answer" in told.stderr
    assert "Start one" not in told.stderr


async def test_while_a_stack_starts_no_other_one_is_asked(data: DataFolder) -> None:
    told = await agentos("", "rm", str(uuid4()), "--yes", AGENTOS_DATA_DIR=str(data.path))
    assert told.code == 1
    assert "is still starting" in told.stderr


@pytest.mark.parametrize("made", [True, False])
async def test_of_a_folder_where_nothing_runs_no_other_stack_is_told(
    tmp_path: Path, made: bool
) -> None:
    folder = tmp_path / "data"
    if made:
        folder.mkdir()
    told = await agentos("", "status", "--data-dir", str(folder), "-o", "json")
    status = json.loads(told.stdout)
    assert (told.code, status["stack"], status["api_url"]) == (1, "stopped", None)
    assert status["readiness"] is None
    assert "`agentos up` starts it" in status["problem"]


async def test_where_there_is_no_folder_the_usual_api_is_asked() -> None:
    if Path(".agentos").exists():
        pytest.skip("there is one")
    status = json.loads((await agentos("", "status", "-o", "json")).stdout)
    assert status["api_url"] == DEFAULT_URL
