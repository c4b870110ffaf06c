"""The job that baseline and peers do: three times one line of plain bubblewrap around Python.

It has a network, processes and a file system of its own with the fewest mounts in which Python
starts; no limits, no system call filter, no user of its own. Only the standard library is imported
here, because peers load this module with a Python of their own.
"""

import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

STEPS = 3
OUTPUT = "out.txt"
SOURCE = f"open('{OUTPUT}', 'w').write('x')"
MOST_AT_ONCE = 4 * (os.cpu_count() or 1)  # Sandboxes, as in a worker of AgentOS.

_OUTPUT_FOLDER = "/out"
_OUTSIDE = "OUTPUT FOLDER"  # Stands in the line where the folder of a run will be.


def plain_line(bwrap: Path, python: Path) -> list[str]:
    """The command, for a Python that lies in ``/usr`` or in a prefix of its own."""
    prefix = python.parent.parent
    own = [] if prefix.is_relative_to("/usr") else ["--ro-bind", str(prefix), str(prefix)]
    return [
        *(str(bwrap), "--unshare-all", "--die-with-parent"),
        *("--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib"),
        *("--symlink", "usr/lib64", "/lib64", *own),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--bind", _OUTSIDE, _OUTPUT_FOLDER, "--chdir", _OUTPUT_FOLDER),
        *(str(python), "-c", SOURCE),
    ]


class PlainSandbox:
    """Runs the line, each time in a new folder within ``folder``."""

    def __init__(self, line: Sequence[str], folder: Path) -> None:
        self._line = line
        self._folder = folder
        self._free = asyncio.Semaphore(MOST_AT_ONCE)

    async def write(self) -> Path:
        """The file that was written."""
        output = Path(tempfile.mkdtemp(dir=self._folder))
        line = [str(output) if word == _OUTSIDE else word for word in self._line]
        async with self._free:
            process = await asyncio.create_subprocess_exec(*line)
            code = await process.wait()
        if code != 0:
            raise RuntimeError(f"The plain sandbox ended with exit code {code}")
        return output / OUTPUT
