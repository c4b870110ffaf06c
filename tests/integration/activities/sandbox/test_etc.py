"""What jobs find in /etc."""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.etc import OWN_FILES, SHOWN, Etc
from activities.units import MEBIBYTE
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


def _shown(etc: Etc) -> Path:
    with etc.shown() as copy:
        assert copy is not None
        return copy


def _renewed(etc: Etc) -> Path:
    """What is shown when /etc has been looked at anew."""
    _look(etc)
    return _shown(etc)


def _look(etc: Etc) -> None:
    for _ in range(2):  # A look may have begun before the last change.
        _ended()
        with etc.shown():
            _ended()


def _ended() -> None:
    for thread in threading.enumerate():
        if thread.name == "sandbox-etc":
            thread.join()


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_only_what_is_listed_is_copied(folder: Path, source: Path) -> None:
    copy = _shown(Etc(folder / "copies", source=source))
    assert _names(copy) == {"ssl", "ssl/certs", "ssl/certs/one.pem", "services", *OWN_FILES}
    assert copy.stat().st_mode & 0o777 == 0o755


def test_a_change_is_seen_and_a_job_that_runs_keeps_what_it_saw(folder: Path, source: Path) -> None:
    etc = Etc(folder / "copies", source=source, seen_after_seconds=0)
    with etc.shown() as before:
        assert before is not None
        assert _renewed(etc) == before
        (source / "ssl" / "certs" / "one.pem").write_text("two")
        assert (_renewed(etc) / "ssl/certs/one.pem").read_text() == "two"
        assert (before / "ssl/certs/one.pem").read_text() == "one"
    (source / "ssl" / "certs" / "one.pem").unlink()
    assert not (_renewed(etc) / "ssl/certs/one.pem").exists()
    (source / "localtime").symlink_to(source / "services")
    assert not (_renewed(etc) / "localtime").is_symlink()
    assert (_renewed(etc) / "localtime").read_text() == "http 80/tcp\n"


def test_nobody_can_read_more_of_a_copy(folder: Path, source: Path) -> None:
    fonts = source / "fonts"
    (fonts / "hidden").mkdir(parents=True)
    (fonts / "hidden" / "font").touch()
    (fonts / "hidden").chmod(0o711)
    (fonts / "setuid").touch()
    (fonts / "setuid").chmod(0o4755)
    os.mkfifo(fonts / "pipe")
    (fonts / "link").symlink_to("/usr/share")
    copy = _shown(Etc(folder / "copies", source=source)) / "fonts"
    modes = {str(path.relative_to(copy)): path.lstat().st_mode & 0o7777 for path in copy.rglob("*")}
    assert modes == {"hidden": 0o711, "hidden/font": 0o644, "setuid": 0o755, "link": 0o777}


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user reads no more than its jobs")
def test_what_only_the_worker_can_read_is_not_copied(folder: Path, source: Path) -> None:
    certificates = source / "ssl" / "certs"
    (certificates / "key.pem").touch(mode=0o600)
    (certificates / "group.pem").touch(mode=0o640)
    (certificates / "private").mkdir(mode=0o750)
    (certificates / "private" / "key.pem").touch()
    for closed in ("pki", "secret"):
        (source / closed).mkdir(mode=0o700)
    (source / "pki" / "tls" / "certs").mkdir(parents=True)
    (source / "pki" / "tls" / "certs" / "key.pem").touch()
    (source / "secret" / "protocols").touch()
    (source / "protocols").symlink_to("secret/protocols")
    copy = _shown(Etc(folder / "copies", source=source))
    assert _names(copy) == {"ssl", "ssl/certs", "ssl/certs/one.pem", "services", *OWN_FILES}


def test_copies_are_kept_while_jobs_see_them_and_none_in_the_end(
    folder: Path, source: Path
) -> None:
    etc = Etc(folder / "copies", source=source, seen_after_seconds=0)
    with etc.shown() as first:
        assert first is not None
        for number in range(20):
            (source / "services").write_text("x" * number)
            _look(etc)
        assert (first / "services").read_text() == "http 80/tcp\n"
        assert len([*(folder / "copies").glob("*/*")]) == 2
    _look(etc)
    assert len([*(folder / "copies").glob("*/*")]) == 1
    etc.close()
    assert list((folder / "copies").iterdir()) == []


def test_nobody_waits_for_a_new_copy(folder: Path, source: Path) -> None:
    etc = Etc(folder / "copies", source=source, seen_after_seconds=0)
    before = _shown(etc)
    _ended()
    for number in range(2000):
        (source / "ssl" / "certs" / str(number)).touch()
    begun = time.thread_time()
    assert _shown(etc) == before
    assert time.thread_time() - begun < 0.01
    assert len(list((_renewed(etc) / "ssl" / "certs").iterdir())) == 2001


def test_what_is_too_large_is_not_copied(folder: Path, source: Path) -> None:
    etc = Etc(folder / "copies", source=source, seen_after_seconds=0)
    with (source / "services").open("wb") as file:
        file.truncate(300 * MEBIBYTE)
    _look(etc)
    with etc.shown() as copy:
        assert copy is None
    _look(etc)
    assert [*(folder / "copies").glob("*/*")] == []
    (source / "services").write_text("http 80/tcp\n")
    assert (_renewed(etc) / "services").read_text() == "http 80/tcp\n"


@pytest.mark.parametrize("removed", ["", "*", "*/*"], ids=["all", "that of the worker", "a copy"])
async def test_a_copy_that_somebody_has_removed_breaks_no_job(folder: Path, removed: str) -> None:
    sandbox = Bubblewrap(folder / "work")
    bench = Bench(sandbox, folder)
    assert (await bench.shell("true")).ok
    at = folder / "work" / "etc"
    for path in [*at.glob(removed)] if removed else [at]:
        shutil.rmtree(path)
    assert (await bench.shell("cat /etc/hosts; ls /etc/passwd /etc/ld.so.cache")).ok
    assert "sandbox" in bench.stdout
    await sandbox.close()


def test_a_copy_that_somebody_has_removed_is_made_anew(folder: Path, source: Path) -> None:
    etc = Etc(folder / "copies", source=source, seen_after_seconds=0)
    shutil.rmtree(folder / "copies")
    assert (_renewed(etc) / "services").exists()
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
