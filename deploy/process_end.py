"""The end of a process that has run a command."""

import atexit
import os
import sys

from workflows.errors import AgentOSError

_FAILED = 1


class ProcessEnd:
    """Ends the process without taking the interpreter down.

    To free one by one what the system frees at once takes a tenth of the time of a short command.

    Where Temporal's SDK was used, it must not be taken down. The thread of the SDK that has handed
    over the last answer may still wait for the interpreter's lock. Where that thread gets to hear
    that the interpreter is ending, it aborts the process (`Fatal Python error:
    PyGILState_Release`, exit code 134; temporalio/sdk-python#300) or hangs: a command that ends
    right after an answer did so every third time, with its work done. The SDK's runtime cannot be
    closed.

    Threads have been joined by then, and all that registered to be called at exit after this has
    been called.
    """

    def __init__(self) -> None:
        self._code: int | None = None
        atexit.register(self._end)

    def note(self, ended: SystemExit) -> None:
        """With which code, which nobody is told at exit."""
        if ended.code is None:
            self._code = 0
        else:
            self._code = ended.code if isinstance(ended.code, int) else _FAILED

    def _end(self) -> None:
        if self._code is None:
            return
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None and not stream.closed:
                    stream.flush()
        except (OSError, AgentOSError):  # Nobody reads it, or its disk is full.
            self._code = self._code or _FAILED
        os._exit(self._code & 0xFF)
