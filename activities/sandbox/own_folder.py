"""A folder of this worker's own under one that workers share, and the end of those left behind."""

import contextlib
import os
import tempfile
from pathlib import Path

from activities.file_lock import try_lock_folder
from activities.sandbox.folders import remove


class OwnFolder:
    """It is locked while this worker lives; that of one that was killed is swept."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared
        self._made: tuple[Path, int] | None = None

    def make(self) -> Path:
        """The folder, made when it is first asked for, and anew when somebody has removed it.

        Raises:
            OSError: it cannot be made.
        """
        if self._made is not None and not self._made[0].is_dir():
            self.close()
        if self._made is None:
            self._shared.mkdir(mode=0o755, parents=True, exist_ok=True)
            self._shared.chmod(0o755)  # Whatever the umask: users of jobs pass through.
        while self._made is None:
            folder = Path(tempfile.mkdtemp(dir=self._shared))
            # Another worker that sweeps now may take it for one that was left behind.
            if (lock := try_lock_folder(folder)) is not None:
                self._made = folder, lock
                folder.chmod(0o755)
        return self._made[0]

    def close(self) -> None:
        if self._made is not None:
            folder, lock = self._made
            self._made = None
            remove(folder)
            os.close(lock)


def sweep(shared: Path) -> None:
    """Remove the folders of workers that are gone; those that live keep theirs."""
    for folder in shared.iterdir():
        with contextlib.suppress(OSError):  # It is no folder, or none of ours.
            if not folder.is_symlink() and (lock := try_lock_folder(folder)) is not None:
                remove(folder)
                os.close(lock)
