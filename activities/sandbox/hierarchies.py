"""Where in the hierarchies of control groups this process may make groups that bound memory."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Of ours, in a group where the kernel wants either processes or groups. Not swept: it has no lock.
_ASIDE = "worker-of-agentos"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """``parent`` is the group to make others in, ``version`` 1 or 2."""

    parent: Path
    version: int

    def prepare(self) -> None:
        """Have groups in ``parent`` bound memory. Raises ``OSError``: the kernel refuses."""
        if self.version == 1:
            return
        with contextlib.suppress(OSError):
            self.pass_on(self.parent)
            return
        self._step_aside()
        self.pass_on(self.parent)

    def pass_on(self, folder: Path) -> None:
        """Have the groups in ``folder`` bound memory and, where that can be, processes."""
        if self.version == 1:
            return
        control = folder / "cgroup.subtree_control"
        if "memory" not in control.read_text().split():
            _write(control, "+memory")
        with contextlib.suppress(OSError):
            _write(control, "+pids")

    def _step_aside(self) -> None:
        """A group with processes in it bounds none below it: be in one below, if we are alone."""
        members = (self.parent / "cgroup.procs").read_text().split()
        if members != [str(os.getpid())]:
            raise OSError(f"other processes are in {self.parent}")
        aside = self.parent / _ASIDE
        aside.mkdir(exist_ok=True)
        _write(aside / "cgroup.procs", members[0])


def find_hierarchies(process: Path) -> Iterator[Hierarchy]:
    """Those that may do, best first: our own group, so that its bounds hold, then the top."""
    for mount, root, version in _mounts(process):
        own = _own_group(process, version)
        if own is None:
            continue
        places = [mount]
        if own.startswith(root.rstrip("/") + "/"):
            places.insert(0, mount / own[len(root.rstrip("/")) :].lstrip("/"))
        for parent in dict.fromkeys(places):
            if _bounds_memory(parent, version):
                yield Hierarchy(parent, version)


def _mounts(process: Path) -> Iterator[tuple[Path, str, int]]:
    """Mounted hierarchies of memory: where, which part of it, and its version; see proc(5)."""
    for line in (process / "mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        root, mount = fields.split()[3:5]
        name, _, options = kind.split(" ", 2)
        if name == "cgroup2":
            yield Path(mount), root, 2
        elif name == "cgroup" and "memory" in options.split(","):
            yield Path(mount), root, 1


def _own_group(process: Path, version: int) -> str | None:
    for line in (process / "cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if (version == 2 and number == "0") or "memory" in controllers.split(","):
            return path
    return None


def _bounds_memory(parent: Path, version: int) -> bool:
    if not os.access(parent, os.W_OK | os.X_OK):
        return False
    if version == 1:
        return (parent / "memory.limit_in_bytes").exists()
    with contextlib.suppress(OSError):
        return "memory" in (parent / "cgroup.controllers").read_text().split()
    return False


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
