"""A folder of this worker's own under one that workers share, and the end of those left behind."""

import os
import shutil
import tempfile
from functools import cached_property
from pathlib import Path

from activities.file_lock import try_lock_folder


class OwnFolder:
    """Made when it is first used. It is locked while this worker lives; that of one that was killed
    is removed by the next."""

    def __init__(self, shared: Path) -> None:
        self._shared = shared
        self._lock = -1

    @cached_property
    def path(self) -> Path:
        self._shared.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._shared.chmod(0o755)  # Whatever the umask: users of jobs pass through.
        self._sweep()
        while True:
            folder = Path(tempfile.mkdtemp(dir=self._shared))
            folder.chmod(0o755)
            # Another worker that starts now may take it for one that was left behind.
            if (lock := try_lock_folder(folder)) is not None:
                self._lock = lock
                return folder

    def close(self) -> None:
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1
            del self.path

    def _sweep(self) -> None:
        for folder in self._shared.iterdir():
            if (lock := try_lock_folder(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
