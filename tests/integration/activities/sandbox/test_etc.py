"""What jobs find in /etc."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.etc import OWN_FILES, SHOWN, Etc
from tests.integration.sandboxes import Bench, open_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def source(folder: Path) -> Path:
    source = folder / "source"
    (source / "ssl" / "certs").mkdir(parents=True)
    (source / "ssl" / "certs" / "one.pem").write_text("one")
    (source / "services").write_text("http 80/tcp\n")
    (source / "shadow").write_text("secret")
    return source


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_only_what_is_listed_is_copied(folder: Path, source: Path) -> None:
    copy = Etc(folder / "copies", source=source).folder()
    assert _names(copy) == {"ssl", "ssl/certs", "ssl/certs/one.pem", "services", *OWN_FILES}
    assert copy.stat().st_mode & 0o777 == 0o755


def test_a_change_is_seen_and_a_job_that_runs_keeps_what_it_saw(folder: Path, source: Path) -> None:
    etc = Etc(folder / "copies", source=source, seen_after_seconds=0)
    before = etc.folder()
    assert etc.folder() == before
    (source / "ssl" / "certs" / "one.pem").write_text("two")
    changed = etc.folder()
    assert (changed / "ssl/certs/one.pem").read_text() == "two"
    assert (before / "ssl/certs/one.pem").read_text() == "one"
    (source / "ssl" / "certs" / "one.pem").unlink()
    assert not (etc.folder() / "ssl/certs/one.pem").exists()
    (source / "localtime").symlink_to(source / "services")
    assert not (etc.folder() / "localtime").is_symlink()
    assert (etc.folder() / "localtime").read_text() == "http 80/tcp\n"


def test_nobody_can_read_more_of_a_copy(folder: Path, source: Path) -> None:
    (source / "fonts").mkdir()
    (source / "fonts" / "closed").touch(mode=0o600)
    (source / "fonts" / "setuid").touch(mode=0o755)
    (source / "fonts" / "setuid").chmod(0o4755)
    (source / "fonts").chmod(0o750)
    os.mkfifo(source / "fonts" / "pipe")
    (source / "fonts" / "link").symlink_to("/usr/share")
    fonts = Etc(folder / "copies", source=source).folder() / "fonts"
    modes = {path.name: path.lstat().st_mode & 0o7777 for path in fonts.iterdir()}
    assert modes == {"closed": 0o600, "setuid": 0o755, "link": 0o777}
    assert fonts.stat().st_mode & 0o7777 == 0o750


def test_few_copies_are_kept_and_none_in_the_end(folder: Path, source: Path) -> None:
    etc = Etc(folder / "copies", source=source, seen_after_seconds=0)
    for number in range(20):
        (source / "services").write_text("x" * number)
        etc.folder()
    assert len([*(folder / "copies").glob("*/*")]) == 8
    etc.close()
    assert list((folder / "copies").iterdir()) == []


async def test_a_job_finds_what_this_machine_has(folder: Path) -> None:
    sandbox = Bubblewrap(folder / "work")
    bench = Bench(sandbox, folder)
    there = [name for name in SHOWN if Path("/etc", name).exists()]
    words = " ".join(f"/etc/{name}" for name in there)
    readable = f"find -L {words} -type f -readable 2>/dev/null"
    listing = f"{readable} | sort | xargs -d'\\n' cat 2>/dev/null | cksum"
    assert (await bench.shell(listing)).ok
    inside = bench.stdout
    assert (await bench.shell("ls -A /etc; touch /etc/new")).code == 1
    assert {*bench.stdout.split()} == {name.partition("/")[0] for name in [*there, *OWN_FILES]}
    assert "Read-only" in bench.stderr
    await sandbox.close()
    command = asyncio.create_subprocess_shell(listing, stdout=asyncio.subprocess.PIPE)
    outside, _ = await (await command).communicate()
    assert inside == outside.decode()


async def test_where_no_copy_can_be_made_each_file_is_shown_in_its_place(folder: Path) -> None:
    (folder / "work").mkdir()
    (folder / "work" / "etc").touch()
    sandbox = Bubblewrap(folder / "work")
    bench = Bench(sandbox, folder)
    assert (await bench.shell("cat /etc/hosts; ls /etc/passwd /etc/ld.so.cache")).ok
    assert "sandbox" in bench.stdout
    await sandbox.close()
