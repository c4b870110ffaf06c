"""Sandboxes that are started before their job comes: when there are some, and what becomes of them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from activities.sandbox.base import Exit, Job, Limits
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.warm_folders import MAX_LINKS
from activities.sandbox.warm_pool import WarmPool
from activities.units import MEBIBYTE
from tests.folders import PROJECT
from tests.integration.sandboxes import Bench, open_folder
from tests.security.processes import alive, until


@pytest.fixture
async def folder() -> AsyncIterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
async def sandbox(folder: Path) -> AsyncIterator[Bubblewrap]:
    sandbox = Bubblewrap(folder / "work", warm=2)
    yield sandbox
    await sandbox.close()


class Jobs:
    """Each with an output folder of its own."""

    def __init__(self, sandbox: Bubblewrap, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.printed = b""
        self._count = 0

    async def run(self, script: str = "echo x", **options: object) -> Exit:
        return await self.sandbox.run(self.job(script, **options), self._take)

    def job(self, script: str, **options: object) -> Job:
        self._count += 1
        output = self.folder / f"output-{self._count}"
        output.mkdir()
        return Job(("/bin/sh", "-c", script), output, **options)  # type: ignore[arg-type]

    def output(self) -> list[str]:
        return sorted(os.listdir(self.folder / f"output-{self._count}"))

    def _take(self, stream: object, piece: bytes) -> None:
        self.printed += piece


@pytest.fixture
def jobs(sandbox: Bubblewrap, folder: Path) -> Jobs:
    return Jobs(sandbox, folder)
