"""Backups of a data folder on which nothing runs, and what keeps one from being taken."""

import io
import json
import os
from pathlib import Path

import asyncpg
import pytest

from activities.file_lock import try_lock
from activities.store import migrations
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.housekeeping import progress
from activities.store.housekeeping.holding import housekeeping_held_off
from activities.store.options import S3Options
from activities.units import MEBIBYTE
from deploy.backup.errors import BackupRunning, BackupUnwritable, NothingToBackUp, StackNotSteady
from deploy.backup.reader import opened
from deploy.backup.restoring import restore
from deploy.backup.source import source_of
from deploy.backup.taking import back_up
from deploy.local.errors import DataFolderNewer
from deploy.local.services import Services, StackOptions
from deploy.local.stack import Stack
from deploy.local.state import DataFolder
from deploy.up import migrate_unless_newer
from tests.integration.cli_runs import agentos
from tests.live import Printed


def silent(line: str) -> None:
    """What is told of the progress is not looked at."""


# Files of the stopped stack: one that is gone from the store, and one that is damaged there.
GONE, DAMAGED = "0" * 64, "f" * 64
LARGE = 2 * MEBIBYTE
_NAME_FILE = """
    INSERT INTO files (id, team_id, name, size, mime_type, sha256)
    SELECT gen_random_uuid(), id, 'file', $2, 'text/plain', $1 FROM teams
"""


async def break_files(services: Services, connection: asyncpg.Connection) -> None:
    """Name files that are not in the store as they were."""
    for sha256 in (GONE, DAMAGED):
        await connection.execute(_NAME_FILE, sha256, LARGE)
    store = services.s3
    blobs = Blobs(S3Options(store.endpoint, store.bucket, store.access_key, store.secret_key))
    team = await connection.fetchval("SELECT id FROM teams")
    await blobs.put(team, DAMAGED, LARGE, "text/plain", io.BytesIO(b"x" * LARGE))


@pytest.fixture(scope="module")
async def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose stack has been stopped, with files that are broken, and a note of
    somebody's beside the secrets."""
    folder = tmp_path_factory.mktemp("stopped") / "data"
    options = StackOptions(
        folder, application=False, default_ports=False, migrate=migrations.migrate
    )
    async with Stack(options) as services:
        connection = await asyncpg.connect(services.database_url.replace("+asyncpg", ""))
        await connection.execute("UPDATE teams SET name = 'still here'")
        await break_files(services, connection)
        await connection.close()
    (folder / "secrets" / "README").write_text("Mine.")
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
    assert [name.rpartition("/")[2] for name in told["unusable_files"]] == [GONE, DAMAGED]
    assert told["unusable_count"] == 2
    assert "Not in the backup, being no secrets of AgentOS: README" in printed.stderr
    with opened(tmp_path / "file") as archive:
        archive.check(lambda size: None)
        assert b"still here" in archive.read("tables/teams")
    place = tmp_path / "empty"
    place.mkdir()
    locks = set[int]()

    def look(line: str) -> None:
        aside = tmp_path / ".empty.restoring" / "lock"
        if aside.exists():
            locks.add(aside.stat().st_ino)

    await restore(tmp_path / "file", place, tell=look)
    assert (place / "postgres").is_dir()
    # It was held from the beginning until the folder had its place: another restore waits so long.
    assert locks == {(place / "lock").stat().st_ino}
    kept = [path for path in (stopped / "secrets").iterdir() if path.name != "README"]
    assert {path.name for path in (place / "secrets").iterdir()} == {path.name for path in kept}
    for secret in kept:
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


async def test_a_backup_is_not_written_into_the_folder_that_it_saves(stopped: Path) -> None:
    with pytest.raises(BackupUnwritable, match="which it saves"):
        await back_up(stopped, stopped / "secrets" / "file", replace=True, tell=silent)


@pytest.mark.parametrize("name", [".", "..", "/", ""])
async def test_a_folder_is_no_name_for_a_backup(stopped: Path, name: str) -> None:
    with pytest.raises(BackupUnwritable, match="it is a folder"):
        await back_up(stopped, Path(name), replace=True, tell=silent)


async def test_while_a_stopped_stack_is_backed_up_others_say_so_and_leave_it_alone(
    stopped: Path, tmp_path: Path
) -> None:
    async def told(*words: str) -> Printed:
        return await agentos("http://127.0.0.1:9", *words, "--data-dir", str(stopped))

    async with source_of(stopped):
        refused = [await told("down"), await told("up"), await told("backup", str(tmp_path / "b"))]
        shown, status = await told("status"), await told("status", "-o", "json")
    for printed in refused:
        assert printed.code == 1
        assert f"`agentos backup` (process {os.getpid()}) is at work" in printed.stderr
    assert json.loads(status.stdout)["stack"] == "backup"
    assert "stopped, and being backed up, on" in shown.stdout


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
