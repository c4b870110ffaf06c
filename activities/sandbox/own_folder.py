"""A folder of this worker's own under one that workers share, and the end of those left behind."""

import os
import tempfile
from pathlib import Path

from activities.file_lock import try_lock_folder
from activities.sandbox.folders import remove


class OwnFolder:
    """It is locked while this worker lives; that of one that was killed is removed by the next."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared
        self._made: tuple[Path, int] | None = None

    @property
    def path(self) -> Path:
        assert self._made is not None
        return self._made[0]

    def make(self) -> None:
        """To be called once, in a thread: what others have left behind may be large."""
        self._shared.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._shared.chmod(0o755)  # Whatever the umask: users of jobs pass through.
        self._sweep()
        while self._made is None:
            folder = Path(tempfile.mkdtemp(dir=self._shared))
            # Another worker that starts now may take it for one that was left behind.
            if (lock := try_lock_folder(folder)) is not None:
                self._made = folder, lock
                folder.chmod(0o755)

    def close(self) -> None:
        if self._made is not None:
            folder, lock = self._made
            self._made = None
            remove(folder)
            os.close(lock)

    def _sweep(self) -> None:
        for folder in self._shared.iterdir():
            if (lock := try_lock_folder(folder)) is not None:
                remove(folder)
                os.close(lock)
