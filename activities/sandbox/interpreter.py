"""Which Python runs scripts in the sandbox."""

import os
import re
import sys
from pathlib import Path

from activities.sandbox.reach import NOBODY_UID, barrier
from workflows.errors.scripts import SandboxUnavailable

# Always visible in the sandbox, because all of /usr is.
_SYSTEM = (Path("/usr/local/bin/python3"), Path("/usr/bin/python3"))
_OLDEST_MINOR = 11

# How scripts are run. -B: the skill's folder is read-only. -u: what a script prints is seen as it
# runs, and is not lost when it is killed. Neither is measurable in the time to start, 9 ms.
PYTHON_FLAGS = ("-B", "-u")


def sandbox_python() -> Path:
    """The interpreter that runs scripts: the same path inside the sandbox and outside.

    The system's when it is recent enough, else the worker's own when a job can read it: that of a
    root worker is often in a home folder that the job's user cannot enter.

    Raises:
        SandboxUnavailable: there is none.
    """
    own = Path(sys.base_prefix).resolve() / "bin" / "python3"
    for candidate in (*_SYSTEM, own):
        if _usable(candidate):
            return candidate
    raise SandboxUnavailable(
        sandbox="bubblewrap",
        reason=f"no Python 3.{_OLDEST_MINOR} or later that a job can read is in /usr/bin or "
        f"/usr/local/bin, nor is the worker's own ({own}) readable by a job",
        remedy="Install one for the system (`apt install python3`), or run the worker as the "
        "user who owns its Python.",
    )


def prefix_to_bind(python: Path) -> Path | None:
    """The folder to show inside for this interpreter; None when /usr holds it already."""
    prefix = python.parent.parent
    return None if prefix.is_relative_to("/usr") else prefix


def _usable(python: Path) -> bool:
    try:
        real = python.resolve(strict=True)
        reader = NOBODY_UID if os.geteuid() == 0 else None
        readable = barrier(real, reader) is None and barrier(real.parent.parent, reader) is None
    except OSError:
        return False
    # The real file is named python3.N everywhere but in rare builds, which get the benefit.
    version = re.fullmatch(r"python3\.(\d+)", real.name)
    return readable and (version is None or int(version[1]) >= _OLDEST_MINOR)
