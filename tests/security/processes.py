"""Finding the processes of a job from outside, by a word in their command line."""

import asyncio
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

# Whatever the promise, a busy machine may be slow to tell. Below pytest's own limit for a test.
PATIENCE_SECONDS = 60


def mark() -> str:
    """A word that no other process has in its command line."""
    return f"marked-{uuid.uuid4().hex}"


def alive(word: str) -> list[int]:
    """Processes, zombies left out, with ``word`` among their arguments."""
    return [
        int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if _has(path, word)
    ]


def inside(word: str) -> list[int]:
    """Those of a job itself: without what stands around it, or is about to become it."""
    return [pid for pid in alive(word) if _is_of_a_job(pid)]


def waiting() -> list[int]:
    """Interpreters in sandboxes that wait for their job."""
    return inside("Runs in a sandbox that was started before its job came")


def children(of: int | None = None) -> list[int]:
    """Those of a process, of this one by default, and none of a process that is gone."""
    pid = os.getpid() if of is None else of
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def outer(pid: int) -> int:
    """The one around a process that we have started."""
    while (above := parent(pid)) != os.getpid():
        pid = above
    return pid


def running(pids: list[int]) -> list[int]:
    """Those of them that are neither gone nor zombies. Quick: dying takes but a millisecond."""
    return [pid for pid in pids if _state(pid) not in {"gone", "Z", "X"}]


def parent(pid: int) -> int:
    return int(_fields(pid)[1])


def _is_of_a_job(pid: int) -> bool:
    """Whether it lives in a process namespace of its own, and is not the first one there."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    own = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
    return len(own) > 1 and own[-1] != "1"


def _state(pid: int) -> str:
    try:
        return _fields(pid)[0]
    except OSError:
        return "gone"


def _fields(pid: int) -> list[str]:
    """Those of proc(5) from the third on: the second, a name, may hold spaces and brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _has(cmdline: Path, word: str) -> bool:
    try:
        return word.encode() in cmdline.read_bytes()
    except OSError:
        return False


async def until(condition: Callable[[], object]) -> float:
    """Wait for a condition; the seconds that it took."""
    started = time.monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.005)
    return time.monotonic() - started
