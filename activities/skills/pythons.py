"""Pythons that the sandbox has not by itself: found on this machine, or brought by uv."""

import asyncio
import os
from pathlib import Path

import structlog

from activities.sandbox.reach import NOBODY_UID, barrier
from activities.skills.installer import Uv
from activities.skills.interpreter import Interpreter, ask_interpreter

log = structlog.get_logger(__name__)


class Pythons:
    """Keeps under ``folder`` what uv brings. Jobs see the folder that an interpreter lies in."""

    def __init__(self, folder: Path, uv: Uv) -> None:
        self._folder = folder
        self._uv = uv
        self._known: dict[str, Interpreter] = {}
        self._finding = asyncio.Lock()

    async def find(self, wanted: str, *, skill: str) -> Interpreter | None:
        """An interpreter with a version in the range ``wanted``; None when there is none to be had.

        Raises:
            DependenciesUnavailable: uv does not know such a version, or could not unpack it.
            TemporaryFailure: it could not be downloaded.
        """
        async with self._finding:
            if wanted not in self._known:
                found = await self._look(wanted, skill) or await self._bring(wanted, skill)
                if found is None:
                    return None
                log.info("python.found", wanted=wanted, version=found.version, skill=skill)
                self._known[wanted] = found
            return self._known[wanted]

    async def _look(self, wanted: str, skill: str) -> Interpreter | None:
        path = await self._uv.find_python(wanted, self._folder, skill=skill)
        if path is None or not await asyncio.to_thread(_is_usable, path, self._folder):
            return None
        return await ask_interpreter(path.resolve(), skill)

    async def _bring(self, wanted: str, skill: str) -> Interpreter | None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o755)
        await self._uv.install_python(wanted, self._folder, skill=skill)
        return await self._look(wanted, skill)


def _is_usable(python: Path, ours: Path) -> bool:
    """Whether it lies in a folder of its own, which a job may see and can read.

    Jobs find ``ours`` wherever it is (see ``activities.sandbox.view``).
    """
    try:
        real = python.resolve(strict=True)
        prefix = real.parent.parent
        libraries = list(prefix.glob("lib/python3.*/os.py"))
        reader = NOBODY_UID if os.geteuid() == 0 else None
        ours = ours.resolve()
        readable = all(barrier(path, reader, within=ours) is None for path in (real, prefix))
    except OSError:
        return False
    return readable and bool(libraries) and prefix != Path("/") and prefix != Path.home()
