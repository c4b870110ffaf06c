"""What nobody uses goes from a worker's folder, and what is in use stays."""

import fcntl
import os
import time
from pathlib import Path

import pytest

from activities.attempts.scratch import Scratch
from activities.file_lock import try_lock
from activities.inputs.cache import Cache
from activities.inputs.partial import Blob
from activities.sandbox.own_folder import OwnFolder
from activities.skills.eviction import lock_file
from activities.skills.staging import KEEP_SECONDS
from activities.tidying import tidy

DAY_SECONDS = 86_400.0


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def environment(work: Path, name: str, unused_seconds: float) -> Path:
    venv = work / "envs" / name
    venv.mkdir(parents=True)
    age(venv, unused_seconds)
    return venv


async def cached(work: Path, data: bytes, unused_seconds: float) -> Path:
    cache = Cache(work / "inputs", 1_000_000)
    async with cache.partial() as partial:
        await partial.write(data)
        blob = Blob(partial.blob.sha256, partial.size)
        os.close(await cache.keep(partial, blob))
    age(cache.path_of(blob), unused_seconds)
    return cache.path_of(blob)


def test_environments_that_nobody_has_used_for_long_go_but_those_in_use(tmp_path: Path) -> None:
    old = environment(tmp_path, "old", 31 * DAY_SECONDS)
    used = environment(tmp_path, "used", 31 * DAY_SECONDS)
    young = environment(tmp_path, "young", 29 * DAY_SECONDS)
    lock = try_lock(lock_file(used), shared=True)
    assert lock is not None
    tidy(tmp_path, 30 * DAY_SECONDS)
    assert [venv.exists() for venv in (old, used, young)] == [False, True, True]
    os.close(lock)
    tidy(tmp_path, 30 * DAY_SECONDS)
    assert not used.exists()


async def test_inputs_that_nobody_has_used_for_long_go_but_those_in_use(tmp_path: Path) -> None:
    old = await cached(tmp_path, b"old", 31 * DAY_SECONDS)
    used = await cached(tmp_path, b"used", 31 * DAY_SECONDS)
    young = await cached(tmp_path, b"young", 29 * DAY_SECONDS)
    with used.open("rb") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_SH)
        tidy(tmp_path, 30 * DAY_SECONDS)
    assert [path.exists() for path in (old, used, young)] == [False, True, True]


async def test_without_a_limit_what_nobody_uses_stays(tmp_path: Path) -> None:
    venv = environment(tmp_path, "old", 1_000 * DAY_SECONDS)
    path = await cached(tmp_path, b"old", 1_000 * DAY_SECONDS)
    tidy(tmp_path, None)
    assert venv.exists()
    assert path.exists()


async def test_scratch_of_a_worker_that_died_goes_while_others_work(tmp_path: Path) -> None:
    living = Scratch(tmp_path)
    dead = tmp_path / "runs" / "dead"
    dead.mkdir()
    (dead / "lock").touch()
    async with living.workplace() as place:
        tidy(tmp_path, None)
        assert place.output.exists()
    assert not dead.exists()
    living.close()


@pytest.mark.parametrize("name", ["warm", "etc"])
def test_what_the_sandboxes_of_a_worker_that_died_held_goes(tmp_path: Path, name: str) -> None:
    shared = tmp_path / name
    living = OwnFolder(shared)
    own = living.make()
    (shared / "stray").touch()
    (shared / "link").symlink_to(own)
    (shared / "dead" / "job" / "output").mkdir(parents=True)
    (shared / "dead" / "job" / "output" / "made").touch()
    tidy(tmp_path, None)
    assert sorted(shared.iterdir()) == sorted([own, shared / "stray", shared / "link"])
    living.close()
    tidy(tmp_path, None)
    assert not own.exists()


def test_old_copies_of_skills_go(tmp_path: Path) -> None:
    old, young = tmp_path / "skills" / "a-1", tmp_path / "skills" / "a-2"
    for copy in (old, young):
        copy.mkdir(parents=True)
    age(old, KEEP_SECONDS + 60)
    tidy(tmp_path, None)
    assert (old.exists(), young.exists()) == (False, True)


def test_a_folder_in_which_no_worker_has_been_is_left_as_it_is(tmp_path: Path) -> None:
    tidy(tmp_path / "none", 1.0)
    assert not (tmp_path / "none").exists()
