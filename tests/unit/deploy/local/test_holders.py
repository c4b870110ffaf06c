"""Which processes have a data folder, and ending them."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.errors import StackNotStopped
from deploy.local.holders import Holders, stop

_HOLDING = "import signal, sys; {deaf}; print(flush=True); signal.pause()"
_DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    """The lock of a folder, which this process has."""
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


def let_go(lock: int) -> None:
    """Leave it to those that have inherited it."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, lock)
    os.close(nothing)


def holding(lock: int | None, *, deaf: bool = False) -> subprocess.Popen[bytes]:
    """A process that has inherited the lock, or has not."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDING.format(deaf=_DEAF if deaf else "pass")],
        stdout=subprocess.PIPE,
        pass_fds=() if lock is None else (lock,),
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_nobody_has_a_folder_that_is_not_there(tmp_path: Path) -> None:
    holders = Holders(tmp_path / "no")
    assert (holders.is_held, holders.leader, list(holders.all())) == (False, None, [])


def test_a_stack_is_told_to_stop_and_awaited(tmp_path: Path, lock: int) -> None:
    leader = holding(lock)
    os.pwrite(lock, str(leader.pid).encode(), 0)
    let_go(lock)
    holders, told = Holders(tmp_path), list[str]()
    assert (holders.is_held, holders.leader) == (True, leader.pid)
    stop(holders, timeout_seconds=30, tell=told.append)
    assert leader.wait() == -signal.SIGTERM
    assert not holders.is_held
    assert str(leader.pid) in told[0]


def test_a_process_that_got_the_number_of_one_that_is_gone_is_left_alone(
    tmp_path: Path, lock: int
) -> None:
    stranger, part = holding(None), holding(lock)
    os.pwrite(lock, str(stranger.pid).encode(), 0)
    let_go(lock)
    holders = Holders(tmp_path)
    assert holders.leader is None
    assert not holders.send(stranger.pid, signal.SIGTERM)
    stop(holders, timeout_seconds=30, tell=lambda text: None)
    assert part.wait() == -signal.SIGTERM
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_stack_that_goes_on_is_told_of_after_a_while(tmp_path: Path, lock: int) -> None:
    leader = holding(lock, deaf=True)
    os.pwrite(lock, str(leader.pid).encode(), 0)
    let_go(lock)
    with pytest.raises(StackNotStopped, match="1 of its processes still run"):
        stop(Holders(tmp_path), timeout_seconds=0.3, tell=lambda text: None)
    leader.kill()
    leader.wait()
