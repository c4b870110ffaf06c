"""What the tests of parts of a stack share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    """The lock of a data folder, which each part keeps open."""
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)
