"""Opens the view of a work folder, which ``view`` makes, and keeps it."""

import errno
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from activities.sandbox import view


@dataclass(frozen=True, slots=True)
class View:
    """``namespaces`` are open descriptors, by the names that nsenter has for their kinds. They keep
    the view alive, and the kernel takes it down when the last one is closed."""

    namespaces: Mapping[str, int]

    def close(self) -> None:
        for descriptor in self.namespaces.values():
            os.close(descriptor)


def open_view(barrier: Path, *folders: Path) -> View:
    """Make a namespace in which all users reach ``folders``, though they cannot pass ``barrier``.

    Raises:
        OSError: this machine does not let us.
    """
    with subprocess.Popen(
        [
            *(sys.executable, "-B", "-I", "-S", str(Path(view.__file__))),
            *map(str, (barrier, *folders)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
        cwd="/",
    ) as maker:
        assert maker.stdout is not None
        pid = maker.stdout.readline().strip()
        if not pid:
            raise OSError(errno.EPERM, _last_line(maker.communicate()[1]))
        return View(_namespaces_of(int(pid)))


def _namespaces_of(pid: int) -> dict[str, int]:
    """Those that are not our own."""
    found = {}
    for kind, name in (("user", "user"), ("mount", "mnt")):
        theirs, ours = (f"/proc/{whose}/ns/{name}" for whose in (pid, "self"))
        if os.stat(theirs).st_ino != os.stat(ours).st_ino:  # noqa: PTH116
            found[kind] = os.open(theirs, os.O_RDONLY | os.O_CLOEXEC)
    return found


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it did not begin"
