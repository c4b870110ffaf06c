"""Where a worker keeps what the sandbox must be able to read."""

import hashlib
import os
from pathlib import Path

from activities.sandbox.reach import NOBODY_UID, barrier
from workflows.errors import AgentOSError

_FALLBACK_PARENT = Path("/var/tmp")  # noqa: S108  (ownership is checked below)


class WorkFolderTaken(AgentOSError):
    """{path} belongs to somebody else. Remove it, or choose a data folder that every user may pass
    through, such as one under /srv."""


def work_folder(data_dir: Path) -> Path:
    """``<data_dir>/work``, or a folder of our own under /var/tmp where that cannot be reached.

    Jobs of a root worker run as another user, who cannot pass through /root, for instance.

    Raises:
        WorkFolderTaken: the folder under /var/tmp was made by another user.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or barrier(data_dir, NOBODY_UID) is None:
        folder = data_dir / "work"
    else:
        digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
        folder = _FALLBACK_PARENT / f"agentos-{digest}"
    folder.mkdir(mode=0o755, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or folder.is_symlink():
        raise WorkFolderTaken(path=folder)
    return folder
