"""A Python that has loaded matplotlib, and forks into the script of each run.

To load it takes more than to draw with it. This runs with the Python of the skill, which has no
other module of the tests. Each line of its input orders a run, and is answered with a line that
says how it ended. It ends with its input.
"""

import json
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib.backends.backend_agg
import matplotlib.backends.backend_svg
import matplotlib.figure  # noqa: F401


def main() -> None:
    for line in sys.stdin:
        with open_in_memory() as out, open_in_memory() as err:
            pid = os.fork()
            if pid == 0:
                become(json.loads(line), out, err)
            _, status = os.waitpid(pid, 0)
            printed = [read(file) for file in (out, err)]
        sys.stdout.write(json.dumps([os.waitstatus_to_exitcode(status), *printed]) + "\n")
        sys.stdout.flush()


def become(order: dict[str, Any], out: BinaryIO, err: BinaryIO) -> None:
    """Be the process of the script, which does not return."""
    signal.alarm(order["seconds"])
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    with open(os.devnull, "rb") as nothing:
        for file, number in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(file.fileno(), number)
    sys.argv = order["command"]
    script = sys.argv[0]
    sys.path[0] = str(Path(script).parent)
    runpy.run_path(script, run_name="__main__")
    sys.exit()


def open_in_memory() -> BinaryIO:
    return open(os.memfd_create("printed"), "w+b")


def read(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode()


if __name__ == "__main__":
    main()
