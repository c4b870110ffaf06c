"""Which processes are those of the stack that runs on a data folder, and ending them.

A number alone tells nothing: once a process is gone, another may get its number. What is of the
stack has the lock of its folder open, and signals go through a descriptor of the process, which is
looked at again after that was opened.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from activities.file_lock import try_lock_open
from deploy.local.errors import DataFolderBusy, StackNotOurs, StackNotStopped
from deploy.local.holder import Holder, Work, holder_in

_POLL_SECONDS = 0.1
_ORPHANS_SECONDS = 10.0


class Holders:
    """The processes that have a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir.absolute()
        self._lock_file = self.path / "lock"

    @property
    def is_held(self) -> bool:
        """Whether a stack runs there, or what is left of one, or another command is at work.

        Raises:
            StackNotOurs: only another user can see that.
        """
        try:
            with self._lock_file.open("rb") as lock:
                return not try_lock_open(lock.fileno(), shared=True)
        except PermissionError:
            raise StackNotOurs(data_dir=self.path) from None
        except OSError:  # No such folder.
            return False

    @property
    def is_known(self) -> bool:
        """Whether a stack runs there, or has run there before."""
        return self._lock_file.exists()

    @property
    def why_unknown(self) -> str:
        """What is there instead of a data folder, where no stack has ever run on it."""
        inner = self.path / ".agentos"
        if (inner / "lock").exists():
            return f"one lies in it. Name that with --data-dir {inner}."
        if not self.path.exists():
            return "it does not exist."
        if not self.path.is_dir():
            return "it is a file."
        return "no stack has ever run on it."

    @property
    def told(self) -> Holder:
        """Who has the folder, or had it last, as the lock says."""
        try:
            return holder_in(self._lock_file.read_bytes())
        except OSError:
            return Holder(None, Work.UP)

    @property
    def leader(self) -> Holder | None:
        """The command itself that has the folder, if it lives and can be seen from here."""
        told = self.told
        return told if told.pid is not None and self.has(told.pid) else None

    def has(self, pid: int) -> bool:
        """Whether the process of this number is known to have the lock open."""
        return self._has(pid) is True

    def may_have(self, pid: int) -> bool:
        """The same, or it lives and does not let us look."""
        return self._has(pid) is not False

    def all(self) -> Sequence[int]:
        """Those that can be seen from here."""
        own = os.getpid()
        pids = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]
        return [pid for pid in pids if pid != own and self.has(pid)]

    def _has(self, pid: int) -> bool | None:
        """None where that cannot be seen."""
        try:
            wanted = self._lock_file.stat()
            descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
        except PermissionError:
            return None
        except OSError:  # It is gone.
            return False
        for descriptor in descriptors:
            with suppress(OSError):
                found = descriptor.stat()
                if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                    return True
        return False

    def send(self, pid: int, number: signal.Signals) -> bool:
        """Send a signal to a process, if it is one of these. Raises ``StackNotOurs``."""
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return False
        try:
            if not self.has(pid):
                return False
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        except PermissionError:
            raise StackNotOurs(data_dir=self.path) from None
        finally:
            os.close(descriptor)
        return True


def stop(holders: Holders, *, timeout_seconds: float | None, tell: Callable[[str], None]) -> None:
    """End the stack, as Ctrl-C in its terminal does, or what is left of one that was killed; return
    when nothing of it runs any more.

    Raises:
        StackNotOurs: its processes are another user's, or in another container.
        DataFolderBusy: it is no stack that has the folder, but a command that will end.
        StackNotStopped: it has not ended in time.
    """
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    leader = holders.leader
    if leader is not None and leader.work is not Work.UP:
        raise DataFolderBusy(work=leader.work, pid=leader.pid, data_dir=holders.path)
    if leader is not None and leader.pid and holders.send(leader.pid, signal.SIGTERM):
        tell(f"Stopping `agentos up` (process {leader.pid}) on {holders.path}...")
        _wait(holders, deadline)
        return
    left = holders.all()
    if not left and holders.is_held:
        raise StackNotOurs(data_dir=holders.path)
    command = f"agentos {holders.told.work}"
    tell(f"`{command}` was killed; ending the {len(left)} processes that it left behind...")
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in holders.all():
            # PostgreSQL waits for its clients at SIGTERM, and rolls back at SIGINT.
            is_fast = number is signal.SIGTERM and _name(pid).startswith("postgres")
            holders.send(pid, signal.SIGINT if is_fast else number)
        until = time.monotonic() + _ORPHANS_SECONDS
        if _is_free(holders, until if deadline is None else min(until, deadline)):
            return
    _wait(holders, deadline)


def _wait(holders: Holders, deadline: float | None) -> None:
    if not _is_free(holders, deadline):
        raise StackNotStopped(data_dir=holders.path, count=len(holders.all()))


def _is_free(holders: Holders, deadline: float | None) -> bool:
    """Whether nobody has the folder, at the latest when the time is over."""
    while holders.is_held:
        if deadline is not None and time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
