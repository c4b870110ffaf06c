"""What it takes to store the files of a step: how often the store and the database are asked."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from sqlalchemy import TextClause

from activities.attempts.artifacts import SMALL_AT_ONCE, publish_output
from activities.sandbox.base import Limits
from activities.store.blobs import Blobs
from activities.store.condemned import Ledger
from activities.store.database import Database
from activities.store.files import Upload, create_file
from activities.store.keys import DEFAULT_TEAM
from activities.store.options import S3Options
from deploy.local.services import Services
from tests.doubles.store_front import StoreFront, store_front
from workflows.errors.scripts import OutputTooLarge, TooManyFiles

FILES = 1_000


class CountingDatabase(Database):
    """Counts statements."""

    asked = 0

    async def execute(self, statement: TextClause, values: Any) -> Any:
        self.asked += 1
        return await super().execute(statement, values)


@pytest.fixture
async def counting(database_url: str) -> AsyncIterator[CountingDatabase]:
    database = CountingDatabase(database_url)
    yield database
    await database.close()


@pytest.fixture
async def front(infrastructure: Services) -> AsyncIterator[StoreFront]:
    async with store_front(urlsplit(infrastructure.s3.endpoint).port or 0) as front:
        yield front


@pytest.fixture
def blobs(
    infrastructure: Services, front: StoreFront, bucket: str, counting: CountingDatabase
) -> Blobs:
    store = infrastructure.s3
    options = S3Options(front.endpoint, bucket, store.access_key, store.secret_key)
    return Blobs(options, Ledger(counting))


def fill(folder: Path) -> None:
    for number in range(FILES):
        (folder / f"{number}.txt").write_text(f"{folder} {number % (FILES - 1)}")


async def test_new_small_files_cost_one_request_each_and_few_statements(
    blobs: Blobs, front: StoreFront, counting: CountingDatabase, tmp_path: Path
) -> None:
    fill(tmp_path)
    files, refused = await publish_output(blobs, DEFAULT_TEAM, tmp_path, Limits())
    assert (len(files), refused) == (FILES, ())
    assert front.made == {"PUT": FILES - 1}  # Two of them have the same bytes.
    assert counting.asked <= FILES / SMALL_AT_ONCE + 1


async def test_small_files_are_stored_by_a_store_that_turns_some_requests_away(
    blobs: Blobs, front: StoreFront, tmp_path: Path
) -> None:
    fill(tmp_path)
    front.turned_away = 20
    async with asyncio.timeout(60):
        await publish_output(blobs, DEFAULT_TEAM, tmp_path, Limits())
    # Only what was turned away is sent once more.
    assert front.made == {"PUT": FILES - 1 + front.made.total() // 20}


async def test_files_that_rows_name_are_looked_for_and_not_sent_again(
    blobs: Blobs, front: StoreFront, counting: CountingDatabase, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(f"{tmp_path}")
    [file], _ = await publish_output(blobs, DEFAULT_TEAM, tmp_path, Limits())
    row = Upload(uuid4(), file.name, file.size, file.mime_type, file.sha256)
    await create_file(counting, DEFAULT_TEAM, row)
    front.made.clear()
    await publish_output(blobs, DEFAULT_TEAM, tmp_path, Limits())
    assert front.made == {"HEAD": 1}
    await blobs.remove(DEFAULT_TEAM, file.sha256)
    front.made.clear()
    await publish_output(blobs, DEFAULT_TEAM, tmp_path, Limits())
    # What the store has lost it is given again. Why it does not tell a size, minio asks once more.
    assert front.made == {"HEAD": 2, "PUT": 1}


async def test_a_few_entries_are_judged_like_many(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("small.txt")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner.txt").write_text("y")
    files, refused = await publish_output(blobs, DEFAULT_TEAM, tmp_path, Limits())
    assert [file.name for file in files] == ["folder/inner.txt", "small.txt"]
    assert refused == ("link: it is a symbolic link", "pipe: it is a FIFO")


async def test_a_few_files_are_bounded_like_many(blobs: Blobs, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text("xx")
    with pytest.raises(TooManyFiles):
        await publish_output(blobs, DEFAULT_TEAM, tmp_path, Limits(files=1))
    with pytest.raises(OutputTooLarge):
        await publish_output(blobs, DEFAULT_TEAM, tmp_path, Limits(disk_bytes=3))
