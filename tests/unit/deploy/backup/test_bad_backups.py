"""Files that are no backup, or no longer one: each is refused, and nothing is written."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.backup.errors import (
    BackupDamaged,
    BackupNewer,
    BackupUnreadable,
    RestoreNeedsRoom,
    RestorePlaceTaken,
)
from deploy.backup.manifest import MANIFEST, MAX_SECRET_BYTES, MOST_UNUSABLE
from deploy.backup.reader import opened
from deploy.backup.restoring import restore
from tests.backup_files import BLOB, BLOB_NAME, changed, small_backup
from tests.small_disks import small_disk
from workflows.errors import AgentOSError


@pytest.fixture
async def backup(tmp_path: Path) -> Path:
    return await small_backup(tmp_path / "backup")


async def refused(file: Path, error: type[AgentOSError], words: str) -> None:
    """Restoring a file fails with these words, and leaves nothing."""
    place = file.parent / "place" / "data"
    with pytest.raises(error, match=words):
        await restore(file, place, tell=lambda line: None)
    assert not place.parent.exists()


def test_a_whole_backup_is_found_whole(backup: Path) -> None:
    with opened(backup) as archive:
        archive.check(lambda size: None)
        assert [size for _, _, size in archive.blobs] == [len(BLOB)]


async def test_a_backup_without_more_files_than_it_names_is_whole(tmp_path: Path) -> None:
    file = await small_backup(tmp_path / "file", missing=MOST_UNUSABLE + 1)
    with opened(file) as archive:
        archive.check(lambda size: None)
        told = archive.manifest.blobs
        assert (len(told.unusable), told.unusable_count) == (MOST_UNUSABLE, MOST_UNUSABLE + 1)


async def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    await refused(tmp_path / "none", BackupUnreadable, "there is no such file")


async def test_a_folder_is_no_backup(tmp_path: Path) -> None:
    await refused(tmp_path, BackupUnreadable, "it is no file")


async def test_another_file_is_no_backup(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"anything at all" * 1_000)
    await refused(file, BackupDamaged, "it is cut off, or no such file at all")


@pytest.mark.parametrize("share", [0.2, 0.9, 0.999])
async def test_a_backup_that_was_cut_off_is_refused(backup: Path, share: float) -> None:
    content = backup.read_bytes()
    backup.write_bytes(content[: int(share * len(content))])
    await refused(backup, BackupDamaged, "cut off")


async def test_a_backup_with_a_changed_byte_is_refused(backup: Path) -> None:
    content = bytearray(backup.read_bytes())
    with zipfile.ZipFile(backup) as archive:
        entry = archive.getinfo("temporal.db")
        name_bytes, extra_bytes = struct.unpack_from("<HH", content, entry.header_offset + 26)
        begin = entry.header_offset + 30 + name_bytes + extra_bytes
    content[begin + entry.compress_size // 2] ^= 1
    backup.write_bytes(content)
    await refused(
        backup, BackupDamaged, r"temporal.db (was changed|is damaged .its checksum is another)"
    )


PARTS: dict[str, tuple[dict[str, bytes | None], str]] = {
    "a part that leads out of the folder": (
        {"secrets/../../../escaped": b"x"},
        "which no backup has",
    ),
    "a part with an absolute path": ({"/etc/cron.d/job": b"x"}, "which no backup has"),
    "a part that was never in it": ({"secrets/another": b"x"}, "or there are too many"),
    "without a part": ({"temporal.db": None}, "parts are missing"),
    "a part of the same length": ({"temporal.db": b"sqlite" * 10_000}, "temporal.db was changed"),
    "a longer part": ({"temporal.db": b"SQLite" * 10_001}, "not as long as it was"),
    "a changed file of a task": ({BLOB_NAME: b"b, a\n" * 1_000}, "was changed"),
    "without a file of a task": ({BLOB_NAME: None}, "files of tasks are missing"),
    "without its manifest": ({MANIFEST: None}, "it has no manifest.json"),
}


@pytest.mark.parametrize("name", PARTS)
async def test_a_backup_is_refused_with(name: str, backup: Path) -> None:
    parts, words = PARTS[name]
    file = changed(backup, backup.with_name("changed"), parts)
    await refused(file, BackupDamaged, words)


MANIFESTS: dict[str, tuple[Callable[[dict[str, Any]], object], type[AgentOSError], str]] = {
    "newer format": (lambda said: said.update(format=2, more=1), BackupNewer, "its format is 2"),
    "newer revision": (
        lambda said: said.update(revision="9999", version="7.0"),
        BackupNewer,
        "newer version of AgentOS, 7.0: its database has revision 9999",
    ),
    "no revision": (lambda said: said.pop("revision"), BackupDamaged, "no sense at 'revision'"),
    "odd revision": (
        lambda said: said.update(revision="head"),
        BackupDamaged,
        "no sense at 'revision'",
    ),
    "unknown field": (lambda said: said.update(hooks=[]), BackupDamaged, "no sense at 'hooks'"),
    "no tables": (lambda said: said.update(tables={}), BackupDamaged, "tables are missing"),
}


@pytest.mark.parametrize("name", MANIFESTS)
async def test_a_backup_is_refused_whose_manifest_has(name: str, backup: Path) -> None:
    change, error, words = MANIFESTS[name]
    await refused(changed(backup, backup.with_name("changed"), manifest=change), error, words)


async def test_a_manifest_that_is_no_json_is_refused(backup: Path) -> None:
    file = changed(backup, backup.with_name("changed"), {MANIFEST: None})
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(MANIFEST, "[" * 100_000)
    await refused(file, BackupDamaged, "its manifest.json cannot be read")


async def test_a_part_that_is_there_twice_is_refused(backup: Path) -> None:
    with zipfile.ZipFile(backup, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("temporal.db", b"another one")
    await refused(backup, BackupDamaged, "it has the part temporal.db twice")


async def test_a_part_that_is_packed_in_another_way_is_refused(backup: Path) -> None:
    file = changed(backup, backup.with_name("changed"), {"temporal.db": None})
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("temporal.db", b"x", compress_type=zipfile.ZIP_LZMA)
    await refused(file, BackupDamaged, "packed in another way")


async def test_a_secret_that_is_too_large_is_refused(backup: Path) -> None:
    parts = {"secrets/temporal-key": b"0" * (MAX_SECRET_BYTES + 1)}
    file = changed(backup, backup.with_name("changed"), parts, is_told=True)
    await refused(file, BackupDamaged, "secrets/temporal-key is too large")


async def test_a_link_is_a_part_like_others_and_never_followed(backup: Path) -> None:
    link = zipfile.ZipInfo("secrets/s3-access-key")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(backup, "a") as archive:
        archive.writestr(link, b"/etc/passwd")
    await refused(backup, BackupDamaged, "or there are too many")


async def test_a_part_that_says_to_be_larger_than_it_is_is_refused(backup: Path) -> None:
    content = bytearray(backup.read_bytes())
    place = content.rindex(BLOB_NAME.encode()) - 46  # of its entry in the central directory
    assert content[place : place + 4] == b"PK\x01\x02"
    struct.pack_into("<I", content, place + 24, 2**32 - 2)
    backup.write_bytes(content)
    # Where the disk has no 6 GiB, it is refused for that.
    with pytest.raises((BackupDamaged, RestoreNeedsRoom)):
        await restore(backup, backup.with_name("place"), tell=lambda line: None)
    assert not backup.with_name("place").exists()


async def test_a_backup_is_not_unpacked_onto_a_disk_without_room(
    backup: Path, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        with pytest.raises(RestoreNeedsRoom, match="Free some space"):
            await restore(backup, disk / "data", tell=lambda line: None)
        assert list(disk.iterdir()) == []


async def test_a_backup_is_not_restored_over_what_is_there(backup: Path, tmp_path: Path) -> None:
    place = tmp_path / "taken"
    place.mkdir()
    (place / "file").touch()
    with pytest.raises(RestorePlaceTaken, match="is not empty"):
        await restore(backup, place, tell=lambda line: None)
    assert [path.name for path in place.iterdir()] == ["file"]


async def test_a_backup_is_not_restored_through_a_link(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RestorePlaceTaken):
        await restore(backup, tmp_path / "link", tell=lambda line: None)


def test_a_manifest_names_what_is_in_the_file_and_no_value_of_a_secret(backup: Path) -> None:
    with zipfile.ZipFile(backup) as archive:
        text = archive.read(MANIFEST).decode()
    assert "0" * 40 not in text
    assert set(json.loads(text)["parts"]) == {
        "secrets/temporal-key",
        "temporal.db",
        "tables/teams",
    }
