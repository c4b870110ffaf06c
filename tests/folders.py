"""Where the project and the doubles of its tests lie, and folders that break common tools."""

import os
from pathlib import Path

PROJECT = Path(__file__).parents[1]
DOUBLES = PROJECT / "tests" / "doubles"


def nest(folder: Path, depth: int) -> None:
    """Make folders below each other, and a file in the last: deeper than any path can be."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
