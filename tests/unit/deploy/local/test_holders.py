"""Which processes have a data folder, and ending them."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from activities.aes_keys import KEY_BYTES
from deploy.local.errors import DataFolderBusy, SecretsKeyUnusable, StackNotOurs, StackNotStopped
from deploy.local.holder import Holder, Work, holder_in
from deploy.local.holders import Holders, stop
from deploy.local.state import DataFolder, running_parts, secrets_keys

_NOBODY = 65_534
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
    assert (holders.is_held, holders.leader) == (True, Holder(leader.pid, Work.UP))
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


@pytest.mark.parametrize("work", [Work.BACKUP, Work.RESTORE])
def test_a_command_that_works_on_a_folder_is_not_stopped_as_a_stack_is(
    tmp_path: Path, lock: int, work: Work
) -> None:
    command = holding(lock)
    os.pwrite(lock, Holder(command.pid, work).text.encode(), 0)
    let_go(lock)
    words = f"`agentos {work}` .process {command.pid}. is at work"
    with pytest.raises(DataFolderBusy, match=words):
        stop(Holders(tmp_path), timeout_seconds=30, tell=lambda text: None)
    assert command.poll() is None
    command.kill()
    command.wait()


def test_what_a_killed_backup_has_left_is_ended(tmp_path: Path, lock: int) -> None:
    gone, part = holding(None), holding(lock)
    gone.kill()
    gone.wait()
    os.pwrite(lock, Holder(gone.pid, Work.BACKUP).text.encode(), 0)
    let_go(lock)
    told = list[str]()
    stop(Holders(tmp_path), timeout_seconds=30, tell=told.append)
    assert part.wait() == -signal.SIGTERM
    assert told[0].startswith("`agentos backup` was killed")


def test_no_stack_starts_where_a_backup_is_being_taken(tmp_path: Path) -> None:
    taking = DataFolder(tmp_path / "data")
    taking.acquire(Work.BACKUP)
    with pytest.raises(DataFolderBusy, match=f"`agentos backup` .process {os.getpid()}."):
        DataFolder(tmp_path / "data").acquire()
    taking.release()
    DataFolder(tmp_path / "data").acquire()


def test_a_folder_that_is_moved_stays_ours_and_its_old_name_is_free(tmp_path: Path) -> None:
    moved = DataFolder(tmp_path / "aside")
    moved.acquire(Work.RESTORE)
    moved.move_to(tmp_path / "place")
    with pytest.raises(DataFolderBusy):
        DataFolder(tmp_path / "place").acquire()
    other = DataFolder(tmp_path / "aside")
    other.acquire(Work.RESTORE)
    moved.release()
    with pytest.raises(DataFolderBusy):
        DataFolder(tmp_path / "aside").acquire()
    other.release()


@pytest.mark.parametrize(
    ("content", "holder"),
    [
        (b"", Holder(None, Work.UP)),
        (b"12\n", Holder(12, Work.UP)),
        (b"12 backup", Holder(12, Work.BACKUP)),
        (b"12 what a later version does", Holder(12, Work.UP)),
        (b"\xff 1 2", Holder(None, Work.UP)),
        (b"1234567890 up", Holder(None, Work.UP)),
    ],
    ids=repr,
)
def test_what_a_lock_says_is_read_with_care(content: bytes, holder: Holder) -> None:
    assert holder_in(content) == holder


@contextmanager
def closed_to_us(folder: Path) -> Iterator[None]:
    """As if it were another user's. Nothing is closed to root, so root becomes somebody else."""
    is_root = os.geteuid() == 0
    folder.chmod(0)
    if is_root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)


@pytest.mark.parametrize("content", [b"", b"hunter2", b"\xff" * 8, b"00" * 31])
def test_a_key_of_secrets_that_is_none_is_told_with_its_file(
    tmp_path: Path, content: bytes
) -> None:
    data = DataFolder(tmp_path / "data")
    data.acquire()
    try:
        assert len(bytes.fromhex(data.secrets_key())) == KEY_BYTES
        (data.path / "secrets" / "secrets-key").write_bytes(content)
        for read in (data.secrets_key, lambda: secrets_keys(data.path)):
            with pytest.raises(SecretsKeyUnusable, match=f"{data.path}/secrets/secrets-key"):
                read()
    finally:
        data.release()


def test_of_another_users_folder_nobody_says_that_nothing_runs_there(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "data")
    data.acquire()
    with closed_to_us(data.path):
        for look in (lambda: Holders(data.path).is_held, lambda: running_parts(data.path)):
            with pytest.raises(StackNotOurs, match="another user's"):
                look()
        with pytest.raises(StackNotOurs):
            secrets_keys(data.path)
    data.release()
