"""The output folder of an E2B sandbox, listed and brought back, streamed.

What comes is not trusted: whoever runs in the sandbox can become root there, and then names
and sizes are what he likes. So names are checked before they are paths here, no link is followed,
nothing existing is written to, and bytes are counted as they come.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

import structlog
from e2b import AsyncSandbox, FileNotFoundException

from activities.sandbox.base import (
    OUTPUT_FOLDER,
    Job,
    Limit,
    Limits,
)
from activities.sandbox.e2b_command import OverLimit, run_as_root
from workflows.errors.scripts import FileNameRefused

PARALLEL_STREAMS = 8

# 10,000 names of 1.6 KB: the path of a file in many deep folders is shorter.
LISTING_MAX_CHARACTERS = 16_000_000

# Not the SDK's list(): it fails as a whole on one name that is not UTF-8, and has no bound.
# find ends with 1 when a file goes away while it looks.
_FIND = (
    f"find {OUTPUT_FOLDER} -mindepth 1 -printf '%y\\0%s\\0%T@\\0%P\\0' 2>/dev/null || [ $? -eq 1 ]"
)
_FIELDS = 4

Item = TypeVar("Item")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A regular file in the sandbox's output folder. ``modified`` is as ``find`` prints it."""

    size_bytes: int
    modified: str


Listing = Mapping[PurePosixPath, RemoteFile]


async def list_output(sandbox: AsyncSandbox, limits: Limits) -> Listing:
    """The regular files of the sandbox's output folder.

    Raises:
        OverLimit: they are too many or too large.
        FileNameRefused: a name leads out of the folder.
    """
    printed: list[str] = []
    left = LISTING_MAX_CHARACTERS

    def collect(text: str) -> None:
        nonlocal left
        left -= len(text)
        if left < 0:
            raise OverLimit(Limit.FILES)
        printed.append(text)

    await run_as_root(sandbox, _FIND, collect)
    return parse_listing("".join(printed), limits)


def parse_listing(text: str, limits: Limits) -> Listing:
    """Take apart what ``find`` printed: type, size, time and path of each entry, NUL after each.

    Links and special files are left out, and so are names that are not UTF-8.

    Raises:
        OverLimit: there are more entries, or more bytes, than the limits allow.
        FileNameRefused: it is not such a list, or a path leads out of the folder.
    """
    words = text.split("\0")[:-1]
    if len(words) % _FIELDS:
        raise FileNameRefused(name=text[-80:], reason="the sandbox's list of files ends there")
    if len(words) // _FIELDS > limits.files:
        raise OverLimit(Limit.FILES)
    files: dict[PurePosixPath, RemoteFile] = {}
    for kind, size, modified, path in zip(*[iter(words)] * _FIELDS, strict=True):
        if kind == "f" and "\ufffd" not in path:
            files[_checked(path)] = RemoteFile(_size(path, size), modified)
        elif kind != "d":
            log.warning("sandbox.output_skipped", sandbox="e2b", name=path, kind=kind)
    if any(file.size_bytes > limits.file_bytes for file in files.values()):
        raise OverLimit(Limit.FILE_SIZE)
    if sum(file.size_bytes for file in files.values()) > limits.disk_bytes:
        raise OverLimit(Limit.DISK)
    return files


async def download(sandbox: AsyncSandbox, job: Job, before: Listing) -> None:
    """Make ``job.output`` what the sandbox's output folder is; ``before`` is what was uploaded.

    Raises:
        OverLimit: the files are too many or too large, whatever their list said.
        FileNameRefused: a name or a type of file that cannot be had here.
    """
    listing = await list_output(sandbox, job.limits)
    _remove(job.output, before.keys() - listing.keys())
    changed = [path for path, file in listing.items() if before.get(path) != file]
    receive = _Receiver(sandbox, job.output, job.limits)
    await in_parallel(receive, changed)


@dataclass(slots=True)
class _Receiver:
    """Fetches one file after another, within limits on each and on all together."""

    sandbox: AsyncSandbox
    output: Path
    limits: Limits
    received_bytes: int = field(default=0, init=False)

    async def __call__(self, path: PurePosixPath) -> None:
        try:
            stream = await self.sandbox.files.read(f"{OUTPUT_FOLDER}/{path}", format="stream")
        except FileNotFoundException:
            # A process that the job left behind may still remove files.
            log.warning("sandbox.output_skipped", sandbox="e2b", name=str(path), kind="gone")
            return
        async with stream:
            with _create(self.output, path) as file:
                try:
                    async for chunk in stream:
                        self._count(file.tell(), len(chunk))
                        await asyncio.to_thread(file.write, chunk)
                except BaseException:
                    # Half a file would be taken for a whole one.
                    (self.output / path).unlink(missing_ok=True)
                    raise

    def _count(self, so_far_bytes: int, more_bytes: int) -> None:
        self.received_bytes += more_bytes
        if so_far_bytes + more_bytes > self.limits.file_bytes:
            raise OverLimit(Limit.FILE_SIZE)
        if self.received_bytes > self.limits.disk_bytes:
            raise OverLimit(Limit.DISK)


def _checked(path: str) -> PurePosixPath:
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        raise FileNameRefused(name=path[:200], reason="it leads out of the output folder")
    return PurePosixPath(*parts)


def _size(path: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise FileNameRefused(
            name=path[:200], reason=f"the sandbox gives it the size {text[:20]!r}"
        )
    return int(text)


def _create(folder: Path, path: PurePosixPath) -> IO[bytes]:
    """A new file at ``path``, in place of what was there. No link on the way is followed."""
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in path.parts[:-1]:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=at)
            deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = deeper
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path.name, dir_fd=at)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        return os.fdopen(os.open(path.name, flags, 0o644, dir_fd=at), "wb")
    except OSError as error:
        reason = f"it cannot be made here: {error.strerror}"
        raise FileNameRefused(name=str(path)[:200], reason=reason) from error
    finally:
        os.close(at)


def _remove(folder: Path, paths: Iterable[PurePosixPath]) -> None:
    """Remove files, and the folders that this leaves empty."""
    for path in paths:
        (folder / path).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            for parent in path.parents[:-1]:
                (folder / parent).rmdir()


async def in_parallel(function: Callable[[Item], Awaitable[None]], items: Iterable[Item]) -> None:
    """Some at a time. The first error stops the rest, and none is under way when this ends."""
    queue = iter(items)

    async def work() -> None:
        for item in queue:
            await function(item)

    workers = [asyncio.create_task(work()) for _ in range(PARALLEL_STREAMS)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)
