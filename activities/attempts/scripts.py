"""How a step's skill or code becomes a job for the sandbox, and its exit an error or none."""

import asyncio
import math
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from activities.sandbox.base import SKILLS_FOLDER, Exit, Job, Limit, Limits
from activities.skills.catalogue import Catalogue
from activities.skills.commands import code_command, command_for
from activities.skills.dependencies import read_dependencies
from activities.skills.environments import Environments
from activities.skills.staging import Stage
from activities.units import MEBIBYTE
from workflows.definitions.pipeline import Code, Step
from workflows.errors import AgentOSError, LimitExceeded, ScriptFailed, ScriptKilled, StepTimedOut

# sysexits.h: EX_TEMPFAIL. The script itself asks for a retry.
EXIT_TEMPORARY_FAILURE = 75

# The processor time of a job may be this many times its wall time: a few busy cores.
CPU_SECONDS_PER_SECOND = 4

_CODE_FILES = {"python": "main.py", "shell": "main.sh", "javascript": "main.mjs"}


@dataclass(frozen=True, slots=True)
class Script:
    """A script that is ready to run: its folder, visible inside under ``name``, and command."""

    name: str
    folder: Path
    command: tuple[str, ...]
    venv: Path | None = None
    network: bool = False

    def job(self, inputs: Mapping[str, Path], output: Path, limits: Limits) -> Job:
        return Job(
            command=self.command,
            output=output,
            inputs=inputs,
            skills={self.name: self.folder},
            venv=self.venv,
            network=self.network,
            limits=limits,
        )


class Scripts:
    """Makes scripts ready to run.

    ``python`` is the path of the interpreter inside the sandbox; skills named in ``networked`` may
    use the network.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        stage: Stage,
        environments: Environments,
        *,
        python: Path,
        limits: Limits,
        networked: Collection[str] = (),
    ) -> None:
        self._catalogue = catalogue
        self._stage = stage
        self._environments = environments
        self._python = str(python)
        self._limits = limits
        self._networked = frozenset(networked)

    @asynccontextmanager
    async def of_skill(
        self, step: Step, args: Sequence[str], folder: Path
    ) -> AsyncIterator[Script]:
        """Copy the skill and install what its script needs, unless that is done already.

        Raises:
            SkillNotFound, ScriptNotFound, ScriptNotNamed, SkillRefused: it cannot be used.
            DependencyRefused, DependenciesUnavailable: what it needs cannot be installed.
        """
        skill, path = await self._catalogue.find_script(step.skill or "", step.script)
        staged = await self._stage.place(skill)
        needed = await read_dependencies(skill.name, staged, path)
        async with self._environments.lease(needed) as venv:
            yield Script(
                name=skill.name,
                folder=staged,
                command=command_for(
                    replace(skill, folder=staged),
                    path,
                    args,
                    python_in_sandbox=self._python,
                    has_venv=venv is not None,
                ),
                venv=venv,
                network=self.may_use_network(skill.name),
            )

    @asynccontextmanager
    async def of_code(self, step: Step, args: Sequence[str], folder: Path) -> AsyncIterator[Script]:
        """Write the code into ``folder``."""
        assert step.code is not None
        name = _CODE_FILES[step.code.language]
        await asyncio.to_thread(_write, folder, name, step.code)
        path = f"{SKILLS_FOLDER}/code/{name}"
        command = code_command(step.code, path, args, python_in_sandbox=self._python)
        yield Script("code", folder, command)

    def may_use_network(self, skill: str) -> bool:
        return skill in self._networked

    def limits(self, timeout_seconds: float) -> Limits:
        return replace(
            self._limits,
            wall_seconds=timeout_seconds,
            cpu_seconds=math.ceil(timeout_seconds * CPU_SECONDS_PER_SECOND),
        )


def error_of(step: Step, exit: Exit, limits: Limits) -> AgentOSError | None:  # noqa: A002
    """What an exit means for the step; None when all went well.

    Exit code 75 is retried, and so is what the step's ``retry_on`` names.
    """
    error: AgentOSError
    again = "any" in step.retry_on
    if exit.limit is Limit.WALL_TIME:
        return timed_out(step, limits.wall_seconds)
    if exit.limit is not None:
        error = LimitExceeded(
            step=step.id, limit=exit.limit.value.replace("_", " "), bound=_bound(exit.limit, limits)
        )
        again = False  # It would only run into it again.
    elif exit.code is None:
        error = ScriptKilled(step=step.id, signal=exit.signal)
    elif exit.code != 0:
        error = ScriptFailed(step=step.id, code=exit.code)
        again = again or exit.code == EXIT_TEMPORARY_FAILURE or exit.code in step.retry_on
    else:
        return None
    error.retryable = again
    return error


def timed_out(step: Step, seconds: float) -> StepTimedOut:
    error = StepTimedOut(step=step.id, seconds=seconds)
    error.retryable = not {"any", "timeout"}.isdisjoint(step.retry_on)
    return error


def _bound(limit: Limit, limits: Limits) -> str:
    return {
        Limit.WALL_TIME: f"{limits.wall_seconds:g} s",
        Limit.CPU_TIME: f"{limits.cpu_seconds} s",
        Limit.MEMORY: f"{limits.memory_bytes // MEBIBYTE} MiB",
        Limit.PROCESSES: f"{limits.processes} processes",
        Limit.PRINTED: f"{limits.printed_bytes // MEBIBYTE} MiB printed",
        Limit.DISK: f"{limits.disk_bytes // MEBIBYTE} MiB in the output folder",
        Limit.FILES: f"{limits.files} files",
        Limit.FILE_SIZE: f"{limits.file_bytes // MEBIBYTE} MiB in one file",
    }[limit]


def _write(folder: Path, name: str, code: Code) -> None:
    target = folder / name
    target.write_text(code.source, encoding="utf-8")
    target.chmod(0o644)  # The sandbox's user reads it.
