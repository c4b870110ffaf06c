"""Keeping a folder of environments within limits: the least recently used goes, if none uses it."""

import contextlib
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import structlog

from activities.file_lock import try_lock

# Beside the environment's own files: its size in bytes, so that it is counted once.
SIZE_FILE = ".agentos-bytes"

# A worker that was killed leaves its scratch folder; no installation takes that long.
SCRATCH_SECONDS = 3600

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on all environments together. One that alone takes more bytes is refused. One that was
    not used for ``unused_seconds`` goes in any case, if that is not None."""

    environments: int = 64
    total_bytes: int = 8 * 1024**3
    unused_seconds: float | None = None


def lock_file(venv: Path) -> Path:
    """Locked alone to make or evict the environment, shared to use it."""
    return venv.with_name(f"{venv.name}.lock")


def mark_used(venv: Path) -> bool:
    """Note that the environment is used now. False when it is not there."""
    try:
        os.utime(venv)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def seal(venv: Path) -> int:
    """Let every user read the environment, whatever modes its wheels gave; its size in bytes."""
    size_bytes = 0
    for folder, _, files in os.walk(venv):
        Path(folder).chmod(0o755)
        for file in map(Path(folder).joinpath, files):
            if not file.is_symlink():
                status = file.stat()
                size_bytes += status.st_size
                file.chmod(status.st_mode | 0o444)
    (venv / SIZE_FILE).write_text(str(size_bytes))
    (venv / SIZE_FILE).chmod(0o644)
    return size_bytes


def evict(folder: Path, limits: Limits) -> None:
    """Remove what exceeds the limits, the oldest use first, and what killed workers left."""
    _sweep(folder)
    ages = sorted(
        (entry.lstat().st_mtime_ns, entry) for entry in _entries(folder) if entry.is_dir()
    )
    sizes = {venv: _size(venv) for _, venv in ages}
    count, total_bytes = len(sizes), sum(sizes.values())
    oldest_ns = 0
    if limits.unused_seconds is not None:
        oldest_ns = time.time_ns() - int(limits.unused_seconds * 1e9)
    for used_ns, venv in ages:
        is_within = count <= limits.environments and total_bytes <= limits.total_bytes
        if is_within and used_ns >= oldest_ns:
            return
        if _remove(venv):
            count -= 1
            total_bytes -= sizes[venv]
            log.info("environment.evicted", key=venv.name, size_bytes=sizes[venv])


def _entries(folder: Path) -> list[Path]:
    return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]


def _sweep(folder: Path) -> None:
    oldest = time.time() - SCRATCH_SECONDS
    for entry in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if entry.name.startswith(".") and entry.lstat().st_mtime < oldest:
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.suffix == ".lock" and not entry.with_suffix("").is_dir():
                _remove(entry.with_suffix(""))


def _remove(venv: Path) -> bool:
    """Remove an environment and its lock file, unless it is being made or used."""
    lock = try_lock(lock_file(venv))
    if lock is None:
        return False
    try:
        # Renamed first: from here on nobody takes it for whole.
        doomed = venv.with_name(f".{uuid.uuid4().hex}")
        with contextlib.suppress(FileNotFoundError):
            venv.rename(doomed)
        lock_file(venv).unlink()
    finally:
        os.close(lock)
    shutil.rmtree(doomed, ignore_errors=True)
    return True


def _size(venv: Path) -> int:
    try:
        return int((venv / SIZE_FILE).read_text())
    except (OSError, ValueError):
        return 0  # being removed
