"""What another user can reach. A job runs as a user of its own when the worker is root."""

import os
import stat
from pathlib import Path

# Some user that owns nothing: what it can reach, the user of any job can.
NOBODY_UID = 65534


def barrier(path: Path, uid: int | None, *, within: Path | None = None) -> Path | None:
    """The first part of ``path`` that a user in no group cannot pass, or None when it can read all.

    ``uid`` None means this process itself. What is above ``within`` is not looked at, if the path
    is in there. Access lists are not looked at.

    Raises:
        FileNotFoundError: there is nothing at the path.
    """
    real = path.resolve(strict=True)
    needed = os.R_OK | os.X_OK if real.is_dir() else os.R_OK
    before = barrier_before(real, uid, within=within)
    return before or (None if _allows(real, uid, needed) else real)


def barrier_before(path: Path, uid: int | None, *, within: Path | None = None) -> Path | None:
    """The first folder above ``path`` that the user cannot pass, whatever ``path`` itself allows.

    Raises:
        FileNotFoundError: there is nothing at the path.
    """
    folders = list(path.resolve(strict=True).parents)
    if within is not None and within in folders:
        del folders[folders.index(within) + 1 :]
    for folder in reversed(folders):
        if not _allows(folder, uid, os.X_OK):
            return folder
    return None


def _allows(path: Path, uid: int | None, needed: int) -> bool:
    if uid is None:
        return os.access(path, needed)
    status = path.stat()
    shift = 6 if status.st_uid == uid else 0
    return (stat.S_IMODE(status.st_mode) >> shift) & needed == needed
