"""What a worker keeps for its jobs is read by nobody else on the machine, and by each job."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.attempts.scratch import Scratch
from activities.sandbox.base import Job, Limits, Stream
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.folders import make_open_folder
from activities.sandbox.slots import FIRST_UID
from deploy.folders import WorkFolderTaken, remove_former, work_folder
from tests.integration.sandboxes import open_folder
from tests.security.processes import mark, until
from tests.security.users import OTHER_UID, as_root, printed_by

# Looks for a word: in folders, by exact paths, and through other people's processes.
_SPY = """
import contextlib, glob, os, sys
word, paths = sys.argv[1].encode(), sys.argv[2:]
def look(path):
    with contextlib.suppress(OSError), open(path, "rb", 0, opener=opener) as file:
        if word in (file.read(100_000) or b""): print(path)
def opener(path, flags): return os.open(path, flags | os.O_NONBLOCK)
def walk(top):
    for folder, _, names in os.walk(top):
        for name in names: look(os.path.join(folder, name))
for top in (*glob.glob("/tmp/agentos*"), *glob.glob("/var/tmp/agentos*"), *paths): walk(top)
for path in paths: look(path)
for pid in filter(str.isdigit, os.listdir("/proc")):
    if pid == str(os.getpid()): continue
    for name in ("cmdline", "environ", "mountinfo"): look(f"/proc/{pid}/{name}")
    for name in ("workspace", "skills"): walk(f"/proc/{pid}/root/{name}")
    for path in paths: look(f"/proc/{pid}/root{path}")
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/cwd"): look(f"/proc/{pid}/cwd/{name}")
        for number in os.listdir(f"/proc/{pid}/fd"): look(f"/proc/{pid}/fd/{number}")
print("looked everywhere")
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """In the way of nobody: what closes the files is to be the worker's own doing."""
    with open_folder() as folder:
        (folder / "data").mkdir(mode=0o755)
        yield folder / "data"


@as_root
@pytest.mark.parametrize("warm", [0, 1], ids=["cold", "warm"])
async def test_no_other_user_reads_what_a_job_is_given_or_makes(data_dir: Path, warm: int) -> None:
    word, folder = mark(), work_folder(data_dir)
    scratch, sandbox = Scratch(folder), Bubblewrap(folder, warm=warm)
    await sandbox.warm_up(Limits())
    data = folder / "inputs" / "data.csv"
    data.parent.mkdir(mode=0o755)
    data.write_text(word)
    data.chmod(0o644)
    printed: list[bytes] = []

    def hear(_: Stream, piece: bytes) -> None:
        printed.append(piece)

    async with scratch.workplace() as place:
        make_open_folder(place.code)
        code = place.code / "main.sh"
        code.write_text(f"# {word}\ncat $INPUT_DATA | tee made.txt; until [ -e go ]; do :; done")
        code.chmod(0o644)
        job = Job(
            command=("/bin/sh", "/skills/code/main.sh"),
            output=place.output,
            inputs={"data": data},
            skills={"code": place.code},
        )
        running = asyncio.create_task(sandbox.run(job, hear))
        await until(lambda: printed)
        [made] = folder.rglob("made.txt")
        paths = [str(path) for path in (data_dir, data, code, made)]
        for uid in (OTHER_UID, FIRST_UID + 500):  # Some user, and that of another job.
            assert await printed_by(uid, _SPY, word, *paths) == "looked everywhere\n"
        (made.parent / "go").touch()
        ended = await running
        assert (ended.ok, ended.was_warm) == (True, bool(warm))
        paths[-1] = str(place.output / "made.txt")
        assert await printed_by(OTHER_UID, _SPY, word, *paths) == "looked everywhere\n"
        found = (await printed_by(os.geteuid(), _SPY, word, *paths)).splitlines()
        assert set(paths[1:]) < set(found)  # It does see what it may.
    assert b"".join(printed).decode() == word
    scratch.close()
    await sandbox.close()


def test_the_folder_of_a_worker_is_closed_whatever_it_was_before(data_dir: Path) -> None:
    gate = work_folder(data_dir).parent
    assert gate.is_relative_to(data_dir)
    gate.chmod(0o777)
    work_folder(data_dir)
    assert stat.S_IMODE(gate.stat().st_mode) == 0o700


def test_a_folder_that_leads_elsewhere_is_not_used(data_dir: Path) -> None:
    (data_dir / "elsewhere").mkdir()
    (data_dir / "worker").symlink_to(data_dir / "elsewhere")
    with pytest.raises(WorkFolderTaken, match="belongs to somebody else"):
        work_folder(data_dir)


def test_folders_that_were_open_are_removed_once_no_worker_uses_them(data_dir: Path) -> None:
    former = data_dir / "work"
    former.mkdir(parents=True)
    worker = Scratch(former)
    remove_former(data_dir)
    assert former.exists()
    worker.close()
    remove_former(data_dir)
    assert not former.exists()


def test_the_removal_of_a_folder_that_was_open_goes_on_where_it_broke_off(data_dir: Path) -> None:
    half = data_dir / "work.removed"
    (half / "inputs").mkdir(parents=True)
    remove_former(data_dir)
    assert not half.exists()


def test_a_folder_that_is_removed_is_not_followed_elsewhere(data_dir: Path) -> None:
    (data_dir / "kept" / "runs").mkdir(parents=True)
    for name in ("work", "work.removed"):
        (data_dir / name).symlink_to(data_dir / "kept")
    remove_former(data_dir)
    assert (data_dir / "kept" / "runs").is_dir()


def test_a_folder_that_no_worker_has_made_is_left_alone(data_dir: Path) -> None:
    (data_dir / "work").mkdir(parents=True)
    remove_former(data_dir)
    assert (data_dir / "work").exists()
