"""Backups of a data folder on which nothing runs, and what keeps one from being taken."""

import json
import os
from pathlib import Path

import asyncpg
import pytest

from activities.file_lock import try_lock
from activities.store import migrations
from activities.store.database import Database
from activities.store.housekeeping import progress
from activities.store.housekeeping.holding import housekeeping_held_off
from deploy.backup.errors import BackupRunning, BackupUnwritable, NothingToBackUp, StackNotSteady
from deploy.backup.reader import opened
from deploy.backup.restoring import restore
from deploy.backup.taking import back_up
from deploy.local.errors import DataFolderNewer
from deploy.local.services import StackOptions
from deploy.local.stack import Stack
from deploy.local.state import DataFolder
from deploy.up import migrate_unless_newer
from tests.integration.cli_runs import agentos


def silent(line: str) -> None:
    """What is told of the progress is not looked at."""


@pytest.fixture(scope="module")
async def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose stack has been stopped."""
    folder = tmp_path_factory.mktemp("stopped") / "data"
    options = StackOptions(
        folder, application=False, default_ports=False, migrate=migrations.migrate
    )
    async with Stack(options) as services:
        connection = await asyncpg.connect(services.database_url.replace("+asyncpg", ""))
        await connection.execute("UPDATE teams SET name = 'still here'")
        await connection.close()
    return folder


async def test_a_stack_that_is_stopped_is_backed_up_and_restored(
    stopped: Path, tmp_path: Path
) -> None:
    printed = await agentos(
        "", "backup", str(tmp_path / "file"), "--data-dir", str(stopped), "-o", "json"
    )
    assert printed.code == 0, printed.stderr
    told = json.loads(printed.stdout)
    assert (told["revision"], told["files"]) == (migrations.NEWEST, 0)
    with opened(tmp_path / "file") as archive:
        archive.check(lambda size: None)
        assert b"still here" in archive.read("tables/teams")
    place = tmp_path / "empty"
    place.mkdir()
    await restore(tmp_path / "file", place, tell=silent)
    assert (place / "postgres").is_dir()
    for secret in (stopped / "secrets").iterdir():
        assert (place / "secrets" / secret.name).read_bytes() == secret.read_bytes()
        assert (place / "secrets" / secret.name).stat().st_mode & 0o077 == 0


async def test_a_backup_that_is_cancelled_leaves_nothing(stopped: Path, tmp_path: Path) -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await back_up(stopped, tmp_path / "file", replace=False, tell=stop)
    assert list(tmp_path.iterdir()) == []
    assert not (stopped / "services.json").exists()


async def test_two_backups_into_one_file_are_not_made_at_once(
    stopped: Path, tmp_path: Path
) -> None:
    held = try_lock(tmp_path / "file.part")
    assert held is not None
    with pytest.raises(BackupRunning):
        await back_up(stopped, tmp_path / "file", replace=False, tell=silent)
    os.close(held)
    assert (tmp_path / "file.part").exists()  # It is the other's.


async def test_a_backup_is_not_written_into_a_folder_that_is_not_there(
    stopped: Path, tmp_path: Path
) -> None:
    with pytest.raises(BackupUnwritable, match="No such file or directory"):
        await back_up(stopped, tmp_path / "none" / "file", replace=False, tell=silent)


async def test_there_is_nothing_to_back_up_where_no_stack_has_run(tmp_path: Path) -> None:
    with pytest.raises(NothingToBackUp):
        await back_up(tmp_path / "none", tmp_path / "file", replace=False, tell=silent)
    assert list(tmp_path.iterdir()) == []


async def test_a_stack_that_is_just_starting_is_not_backed_up(
    stopped: Path, tmp_path: Path
) -> None:
    starting = DataFolder(stopped)
    starting.acquire()
    try:
        with pytest.raises(StackNotSteady, match="just starting or stopping"):
            await back_up(stopped, tmp_path / "file", replace=False, tell=silent)
    finally:
        starting.release()


async def test_no_pass_of_housekeeping_is_made_while_it_is_held_off(database: Database) -> None:
    before = await progress.last_pass(database)
    async with housekeeping_held_off(database):
        assert not await progress.take_lease(database, "a pass", 60)
    assert await progress.last_pass(database) == before
    assert await progress.take_lease(database, "a pass", 60)


async def test_up_refuses_a_data_folder_that_a_newer_version_has_used(
    database_url: str, tmp_path: Path
) -> None:
    await migrate_unless_newer(tmp_path, database_url)
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DataFolderNewer, match="its database has revision 9999"):
        await migrate_unless_newer(tmp_path, database_url)
    await connection.close()


async def test_up_makes_the_tables_of_a_new_database(
    empty_database_url: str, tmp_path: Path
) -> None:
    await migrate_unless_newer(tmp_path, empty_database_url)
    assert await migrations.revision_of(empty_database_url) == migrations.NEWEST
