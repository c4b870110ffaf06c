"""Disks that are small enough to be filled."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from activities.units import MEBIBYTE


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A disk of so many MiB at ``folder``, in memory. Skips the test where none can be mounted."""
    folder.mkdir(parents=True)
    options = f"size={mebibytes}m,mode=0755"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        made = subprocess.run(mount, capture_output=True, check=False, text=True)
    except FileNotFoundError:
        pytest.skip("there is no program `mount`")
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, left_bytes: int = 0) -> Path:
    """Fill a disk up; gives the file that does, whose removal makes room."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(MEBIBYTE))
        except OSError:
            pass
        file.truncate(max(file.tell() - left_bytes, 0))
    return ballast
