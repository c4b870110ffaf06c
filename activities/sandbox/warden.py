"""Stands by a worker, and ends its jobs should it be killed. The work is done in ``orphans``."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

from activities.sandbox import orphans


class Warden:
    """``mark`` is to be an argument of every bwrap; a job's own processes never have it."""

    def __init__(self) -> None:
        self.mark = f"sandbox-{uuid.uuid4().hex}"
        self._process: subprocess.Popen[bytes] | None = None
        self._leash = -1

    def watch(self) -> None:
        """To be called before a job is started. Costs nothing while the warden lives.

        Raises:
            OSError: the machine is out of processes or descriptors.
        """
        if self._process is None or self._process.poll() is not None:
            self._let_go()
            self._start()

    def close(self) -> None:
        """When no job is left."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._let_go()

    def _start(self) -> None:
        end, self._leash = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-B", "-I", "-S", str(Path(orphans.__file__))),
                    *(str(end), self.mark),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(end,),
                env={},
                cwd="/",
                start_new_session=True,  # What is sent to the worker's group is not for it.
            )
        finally:
            os.close(end)

    def _let_go(self) -> None:
        if self._leash >= 0:
            os.close(self._leash)
            self._leash = -1
