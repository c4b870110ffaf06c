"""Which API commands talk to in the folder of a stack."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli.connection import StackHere
from deploy.local.api_here import find
from deploy.local.holder import Work
from deploy.local.state import DataFolder, RunningPart

URL = "http://127.0.0.1:1234"


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataFolder]:
    """The folder of a stack that runs."""
    data = DataFolder(tmp_path / "data")
    data.acquire()
    data.publish({"api": RunningPart(URL, os.getpid())})
    yield data
    data.release()


def test_the_api_of_a_stack_that_runs_is_found_by_its_folder(data: DataFolder) -> None:
    assert find(data.path) == StackHere(data.path, URL)


def test_where_nothing_runs_no_api_is_found(tmp_path: Path, data: DataFolder) -> None:
    assert find(tmp_path / "nowhere") is None
    data.let_go()  # As a stack that was killed leaves it.
    assert find(data.path) is None


def test_a_stack_that_starts_is_told_from_one_that_is_not_there(data: DataFolder) -> None:
    data.clear()
    assert find(data.path) == StackHere(data.path, None)


def test_a_folder_that_is_backed_up_has_no_stack(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "data")
    data.acquire(Work.BACKUP)
    assert find(data.path) is None
    data.release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", ["lock", "services.json"])
def test_what_another_user_wrote_names_no_api(data: DataFolder, name: str) -> None:
    os.chown(data.path / name, 65_534, -1)
    found = find(data.path)
    assert found is None or found.api_url is None


def test_what_cannot_be_read_names_no_api(data: DataFolder) -> None:
    for text in ("", "[]", "7", json.dumps({"api": 1}), json.dumps({"api": {"url": 1}})):
        (data.path / "services.json").write_text(text)
        found = find(data.path)
        assert found is None or found.api_url is None
