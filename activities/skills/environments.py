"""Virtual environments for the dependencies of skills: made once, kept, shared, evicted.

They are made outside the sandbox and bound into it read-only at ``/opt/venv``. Console scripts
carry the path they were installed under and do not work there; ``/opt/venv/bin/python`` does,
because it is a link to an interpreter that is at the same place inside.
"""

import asyncio
import hashlib
import json
import re
import shutil
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from packaging.specifiers import SpecifierSet

from activities.file_lock import file_lock
from activities.sandbox.base import VENV_LOCK
from activities.skills.dependencies import Dependencies
from activities.skills.eviction import Limits, evict, lock_file, mark_used, seal
from activities.skills.installer import Uv
from activities.skills.interpreter import Interpreter, ask_interpreter
from activities.skills.pythons import Pythons
from activities.skills.telling import tell
from workflows.errors import TemporaryFailure
from workflows.errors.skills import DependenciesUnavailable, PythonUnsuitable

MAKING_SECONDS = 300.0
_NAMES_SHOWN = 4
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

log = structlog.get_logger(__name__)


class Environments:
    """Keeps environments under ``<work_folder>/envs`` and resolved versions under ``locks``.

    ``python`` is the sandbox's interpreter. Any number of workers may share the folder.
    ``environment`` is the worker's: uv gets of it what it needs to reach a package index. With
    ``downloads``, uv finds or brings another Python where a script asks for one.
    """

    def __init__(
        self,
        work_folder: Path,
        python: Path,
        uv: Path,
        *,
        environment: Mapping[str, str],
        limits: Limits | None = None,
        making_seconds: float = MAKING_SECONDS,
        downloads: bool = False,
    ) -> None:
        self._envs = work_folder / "envs"
        self._locks = work_folder / "locks"
        self._python = python
        self._uv = Uv(uv, python, environment)
        self._pythons = Pythons(work_folder / "pythons", self._uv) if downloads else None
        self._limits = limits or Limits()
        self._making_seconds = making_seconds
        self._interpreter: Interpreter | None = None

    @asynccontextmanager
    async def lease(self, dependencies: Dependencies) -> AsyncIterator[Path | None]:
        """The environment of ``prepare``, which no worker evicts while the lease is held."""
        while (venv := await self.prepare(dependencies)) is not None:
            async with file_lock(lock_file(venv), shared=True):
                if mark_used(venv):  # else it was evicted between the two
                    yield venv
                    return
        yield None

    async def prepare(self, dependencies: Dependencies) -> Path | None:
        """Make sure that the environment is there; None when nothing has to be installed.

        Raises:
            PythonUnsuitable: there is no interpreter that the script takes.
            DependenciesUnavailable: they cannot be installed, however often one tries.
            TemporaryFailure: the package index could not be reached, or was too slow.
        """
        if not dependencies.asks:
            return None
        interpreter = await self.interpreter_for(dependencies)
        if not dependencies.installs:
            return None
        venv = self._envs / _key(dependencies, interpreter)
        if not mark_used(venv):
            tell(f"installing {named(dependencies)}")
            try:
                async with asyncio.timeout(self._making_seconds):
                    await self._make(venv, dependencies, interpreter.path)
            except TimeoutError as error:
                reason = f"installing took over {self._making_seconds:g} s"
                raise TemporaryFailure(service="The package index", reason=reason) from error
            except OSError as error:
                reason = f"{error.filename or venv}: {error.strerror}"
                raise DependenciesUnavailable(skill=dependencies.skill, reason=reason) from error
        return venv

    async def interpreter_for(self, dependencies: Dependencies) -> Interpreter:
        """The sandbox's own interpreter, or another one where the script does not take that.

        Raises:
            PythonUnsuitable: there is no interpreter that the script takes.
            DependenciesUnavailable, TemporaryFailure: it cannot be run, or not be downloaded.
        """
        if self._interpreter is None:
            self._interpreter = await ask_interpreter(self._python, dependencies.skill)
        present, wanted = self._interpreter.version, dependencies.requires_python
        if wanted is None or SpecifierSet(wanted).contains(present, prereleases=True):
            return self._interpreter
        other = await self._other(wanted, dependencies.skill)
        if other is None:
            raise PythonUnsuitable(where=dependencies.where, wanted=wanted, present=present)
        return other

    async def _other(self, wanted: str, skill: str) -> Interpreter | None:
        if self._pythons is None:
            return None
        tell(f"looking for a Python {wanted}")
        try:
            async with asyncio.timeout(self._making_seconds):
                return await self._pythons.find(wanted, skill=skill)
        except TimeoutError as error:
            reason = f"finding a Python {wanted} took over {self._making_seconds:g} s"
            raise TemporaryFailure(service="The index of Python versions", reason=reason) from error

    async def _make(self, venv: Path, dependencies: Dependencies, python: Path) -> None:
        for folder in (self._envs, self._locks):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
        # Between workers and within one: whoever waits finds the environment made.
        async with file_lock(lock_file(venv)):
            if mark_used(venv):
                return
            scratch = venv.with_name(f".{venv.name}-{uuid.uuid4().hex}")
            scratch.mkdir()
            try:
                await self._install(venv, scratch, dependencies, self._uv.with_python(python))
            finally:
                await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        await asyncio.to_thread(evict, self._envs, self._limits)

    async def _install(self, venv: Path, scratch: Path, dependencies: Dependencies, uv: Uv) -> None:
        skill = dependencies.skill
        lock = await self._lock(venv.name, scratch, dependencies, uv)
        await uv.install(lock, scratch / "venv", skill=skill)
        await asyncio.to_thread(shutil.copyfile, lock, scratch / "venv" / VENV_LOCK)
        size_bytes = await asyncio.to_thread(seal, scratch / "venv")
        if size_bytes > self._limits.total_bytes:
            reason = f"they take {size_bytes} bytes, and {self._limits.total_bytes} are allowed"
            raise DependenciesUnavailable(skill=skill, reason=reason)
        (scratch / "venv").rename(venv)
        log.info("environment.made", skill=skill, key=venv.name, size_bytes=size_bytes)

    async def _lock(self, key: str, scratch: Path, dependencies: Dependencies, uv: Uv) -> Path:
        """The shipped lock, or the one resolved the first time: versions stay what they were."""
        kept, fresh = self._locks / f"{key}.txt", scratch / "lock.txt"
        if dependencies.lock is not None:
            await asyncio.to_thread(fresh.write_text, dependencies.lock)
            return fresh
        if not kept.exists():
            await uv.resolve(dependencies.requirements, fresh, skill=dependencies.skill)
            fresh.rename(kept)
        return kept


def named(dependencies: Dependencies) -> str:
    """``pandas, numpy and 3 more``."""
    found = [_PACKAGE.match(line.strip()) for line in dependencies.requirements]
    names = [match[0] for match in found if match] or ["what it needs"]
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def _key(dependencies: Dependencies, interpreter: Interpreter) -> str:
    # Not the patch release: its packages are the same, and a resolved lock must outlive it.
    parts = (
        sorted(dependencies.requirements),
        dependencies.lock,
        str(interpreter.path),
        interpreter.abi,
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
