"""How many jobs run at once, and as which user each."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from activities.file_lock import try_lock
from workflows.errors.scripts import SandboxUnavailable

# 60578-61183 is left unused by systemd's table of user ids, and exists in most containers, whose
# range ends at 65535.
FIRST_UID = 60_600
TRIAL_UID = FIRST_UID - 1
"""Of what is only tried; it is never claimed, so that nothing is written."""
_LAST_UID = 61_183
_LOCKS = Path("/run/agentos-sandbox")


class Slots:
    """Places for running jobs: ``async with slots.place``.

    When the worker is root, each sandbox has a user of its own, so that jobs can neither touch each
    other's files and processes nor eat up each other's process count. A user is claimed with a file
    lock, because another worker may run on the same machine; the kernel drops it when we die.
    """

    def __init__(self, places: int, fallback: Path) -> None:
        self.place = asyncio.Semaphore(places)
        self._fallback = fallback
        self._free: list[int] = []
        self._claims: list[int] = []
        self._next = FIRST_UID

    @contextlib.contextmanager
    def user(self) -> Iterator[int | None]:
        """The user id of a sandbox, None for the worker's own user.

        Raises:
            SandboxUnavailable: every user id is claimed by other workers.
        """
        if os.geteuid() != 0:
            yield None
            return
        uid = self._free.pop() if self._free else self._claim()
        try:
            yield uid
        finally:
            self._free.append(uid)

    def close(self) -> None:
        for claim in self._claims:
            os.close(claim)
        self._claims.clear()
        self._free.clear()
        self._next = FIRST_UID

    def _claim(self) -> int:
        folder = self._lock_folder()
        for uid in range(self._next, _LAST_UID + 1):
            if (claim := try_lock(folder / str(uid))) is not None:
                self._claims.append(claim)
                self._next = uid + 1
                return uid
        raise SandboxUnavailable(
            sandbox="bubblewrap",
            reason=f"other workers hold all user ids from {FIRST_UID} to {_LAST_UID}",
            remedy="Run fewer workers on this machine, or fewer steps at once.",
        )

    def _lock_folder(self) -> Path:
        """One for the whole machine; in a container that may not write there, the work folder."""
        with contextlib.suppress(OSError):
            _LOCKS.mkdir(mode=0o700, exist_ok=True)
        if os.access(_LOCKS, os.W_OK | os.X_OK):
            return _LOCKS
        self._fallback.mkdir(mode=0o700, exist_ok=True)
        return self._fallback
