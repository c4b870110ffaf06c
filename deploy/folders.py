"""Where a worker keeps its files, so that no other user of the machine can read any."""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from activities.file_lock import try_lock
from workflows.errors import AgentOSError

_FORMER_PARENT = Path("/var/tmp")  # noqa: S108  (nothing is written there any more)


class WorkFolderUnusable(AgentOSError):
    """The folder {path}, in which a worker keeps its files, cannot be made: {reason}. Choose
    another data folder with AGENTOS_DATA_DIR or --data-dir."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(path=path, reason=error.strerror or str(error))


class WorkFolderTaken(AgentOSError):
    """{path} belongs to somebody else. Remove it, or choose another data folder with
    AGENTOS_DATA_DIR or --data-dir."""


def work_folder(data_dir: Path) -> Path:
    """``<data_dir>/worker/files``, open to all users, behind ``worker``, which is closed to them.

    The jobs of a root worker, which run as users of their own, find it all the same: see
    ``activities.sandbox.view``.

    Raises:
        WorkFolderUnusable: a file is in the way, for instance, or we may not write there.
        WorkFolderTaken: another user has made it.
    """
    gate = work_folder_in(data_dir).parent
    _made(gate, 0o700)
    status = gate.lstat()
    if status.st_uid != os.geteuid() or gate.is_symlink():
        raise WorkFolderTaken(path=gate)
    gate.chmod(0o700)  # Before anything is put behind it.
    return _made(gate / "files", 0o755)


def work_folder_in(data_dir: Path) -> Path:
    """Where ``work_folder`` is, or will be."""
    return data_dir.resolve() / "worker" / "files"


def remove_former(data_dir: Path) -> None:
    """Remove the folders of releases that left them open to others, unless a worker uses them.

    It may be broken off: the next one goes on with it.
    """
    data_dir = data_dir.resolve()
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    for folder in (data_dir / "work", _FORMER_PARENT / f"agentos-{digest}"):
        going = folder.with_name(f"{folder.name}.removed")
        with contextlib.suppress(OSError):  # Another worker removes it, say.
            # Under another name: half of it would not be recognised.
            if _is_ours(folder) and (folder / "runs").is_dir() and not _is_in_use(folder):
                folder.rename(going)
        with contextlib.suppress(OSError):
            if _is_ours(going):
                shutil.rmtree(going, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    return not folder.is_symlink() and folder.lstat().st_uid == os.geteuid()


def _is_in_use(folder: Path) -> bool:
    for lock in folder.glob("runs/*/lock"):
        if (held := try_lock(lock)) is None:
            return True
        os.close(held)
    return False


def _made(folder: Path, mode: int) -> Path:
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=mode, exist_ok=True)
    except OSError as error:
        raise WorkFolderUnusable(folder, error) from error
    return folder
