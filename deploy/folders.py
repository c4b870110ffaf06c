"""Where a worker keeps what the sandbox must be able to read."""

import hashlib
import os
from pathlib import Path

from activities.sandbox.reach import NOBODY_UID, barrier
from workflows.errors import AgentOSError

_FALLBACK_PARENT = Path("/var/tmp")  # noqa: S108  (ownership is checked below)


class WorkFolderUnusable(AgentOSError):
    """The folder {path}, in which a worker keeps its files, cannot be made: {reason}. Choose
    another data folder with AGENTOS_DATA_DIR or --data-dir."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(path=path, reason=error.strerror or str(error))


class WorkFolderTaken(AgentOSError):
    """{path} belongs to somebody else. Remove it, or choose a data folder that every user may pass
    through, such as one under /srv."""


def work_folder(data_dir: Path) -> Path:
    """``<data_dir>/work``, or a folder of our own under /var/tmp where that cannot be reached.

    Jobs of a root worker run as another user, who cannot pass through /root, for instance.

    Raises:
        WorkFolderUnusable: a file is in the way, for instance, or we may not write there.
        WorkFolderTaken: the folder under /var/tmp was made by another user.
    """
    data_dir = _made(data_dir.resolve())
    if os.geteuid() != 0 or barrier(data_dir, NOBODY_UID) is None:
        folder = data_dir / "work"
    else:
        digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
        folder = _FALLBACK_PARENT / f"agentos-{digest}"
    _made(folder)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or folder.is_symlink():
        raise WorkFolderTaken(path=folder)
    return folder


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise WorkFolderUnusable(folder, error) from error
    return folder
