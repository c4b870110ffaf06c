"""How a step's skill or code becomes a job for the sandbox."""

import asyncio
import math
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from activities.sandbox.base import SKILLS_FOLDER, VENV_FOLDER, Job, Limits
from activities.sandbox.folders import make_open_folder
from activities.skills.catalogue import Catalogue
from activities.skills.code_packages import check_packages, declared_packages
from activities.skills.commands import code_command, command_for
from activities.skills.dependencies import Dependencies, find_shared_dependencies, together
from activities.skills.entries import Entry
from activities.skills.environments import Environments
from activities.skills.imports import Imports
from activities.skills.metadata import Skill
from activities.skills.needs import check_imports, modules_in, read_needs
from activities.skills.staging import Stage
from activities.store.attempts import SkillUse
from activities.units import KIBIBYTE
from workflows.definitions.pipeline import Code, Step
from workflows.errors.skills import CodePackagesUnavailable, DependenciesUnavailable

# The processor time of a job may be this many times its wall time: a few busy cores.
CPU_SECONDS_PER_SECOND = 4

_SHORT_BYTES = 64 * KIBIBYTE

_CODE_FILES = {"python": "main.py", "shell": "main.sh", "javascript": "main.mjs"}


@dataclass(frozen=True, slots=True)
class Script:
    """A script that is ready to run.

    ``folders`` are visible inside under their names. ``skill`` is the one that it belongs to, or
    that it may use when it ``is_code`` of the user's own; ``dependencies`` are those of both, and
    ``declares`` says whether the code has some of its own.
    """

    folders: Mapping[str, Path]
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    venv: Path | None = None
    interpreter: Path | None = None
    network: bool = False
    skill: str | None = None
    dependencies: Dependencies | None = None
    is_code: bool = False
    used: SkillUse | None = None
    declares: bool = False

    @property
    def copies(self) -> tuple[str, ...]:
        """The skills at hand, each named by its content: their copies are."""
        return tuple(self.folders[name].name for name in self.folders if name == self.skill)

    def job(self, inputs: Mapping[str, Path], output: Path, limits: Limits) -> Job:
        return Job(
            command=self.command,
            output=output,
            inputs=inputs,
            skills=self.folders,
            venv=self.venv,
            interpreter=self.interpreter,
            environment=self.environment,
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
            ScriptUnsuitable: it is in a language that nothing here runs.
            DependencyRefused, DependenciesUnavailable: what it needs cannot be installed.
            ImportUndeclared: it imports what nothing declares, and would fail at once.
        """
        found, entry = await self._catalogue.find_script(step.skill or "", step.script)
        staged = await self._stage.place(found)
        skill = replace(found, folder=staged)
        needs = await read_needs(skill, entry)
        python = await self._python_for(needs.dependencies)
        async with self._environments.lease(needs.dependencies) as venv:
            check_imports(needs, modules_in(venv))
            entry = _as_part_of_package(entry, needs.imports)
            yield Script(
                folders={skill.name: staged},
                command=command_for(
                    skill,
                    entry,
                    args,
                    python_in_sandbox=str(python or self._python),
                    has_venv=venv is not None,
                ),
                environment=_search_path(skill.name, entry, needs.imports) | step.env,
                venv=venv,
                interpreter=python,
                network=self.may_use_network(skill.name),
                skill=skill.name,
                dependencies=needs.dependencies,
                used=_use_of(found, staged),
            )

    @asynccontextmanager
    async def of_code(self, step: Step, args: Sequence[str], folder: Path) -> AsyncIterator[Script]:
        """Write the code into ``folder``, which is made, and make the skill ready that it uses, if
        any.

        Raises:
            SkillNotFound, SkillRefused: that skill cannot be used.
            PythonUnsuitable: there is no Python that suits it.
            DependencyRefused, DependenciesUnavailable, CodePackagesUnavailable: what it or the
                skill declares cannot be installed.
        """
        assert step.code is not None
        declared = await declared_packages(step)
        name = _CODE_FILES[step.code.language]
        make_open_folder(folder)
        await _write(folder / name, step.code.source.encode())
        place = "code" if step.code.skill != "code" else "code_"  # no skill has a name with a `_`
        path = f"{SKILLS_FOLDER}/{place}/{name}"
        async with _told_of_code(declared), self._used_by(step.code, declared) as used:
            python = f"{VENV_FOLDER}/bin/python" if used.venv else used.interpreter or self._python
            yield replace(
                used,
                folders={**used.folders, place: folder},
                command=code_command(step.code, path, args, python_in_sandbox=str(python)),
                environment={**used.environment, **step.env},
            )

    @asynccontextmanager
    async def of_model_code(
        self, step: Step, args: Sequence[str], folder: Path
    ) -> AsyncIterator[Script]:
        """``of_code``, where a model has written it. Raises ``DependencyRefused`` as well for
        packages that no skill declares."""
        await check_packages(self._catalogue, step)
        async with self.of_code(step, args, folder) as script:
            yield script

    @asynccontextmanager
    async def _used_by(self, code: Code, declared: Dependencies | None) -> AsyncIterator[Script]:
        """What code has at hand of its skill, and what it declares itself. It has no network,
        whatever the skill may."""
        if code.skill is None:
            needed = declared or Dependencies("", "code")
            python = await self._python_for(needed)
            async with self._environments.lease(needed) as venv:
                yield Script(
                    {},
                    (),
                    venv=venv,
                    interpreter=python,
                    dependencies=declared,
                    is_code=True,
                    declares=declared is not None,
                )
            return
        skill = await self._catalogue.find(code.skill)
        staged = await self._stage.place(skill)
        needed = await asyncio.to_thread(
            find_shared_dependencies, skill.name, staged, skill.scripts
        )
        if declared is not None:
            needed = together(declared, needed)
        inside = f"{SKILLS_FOLDER}/{skill.name}"
        python = await self._python_for(needed)
        async with self._environments.lease(needed) as venv:
            yield Script(
                {skill.name: staged},
                (),
                environment={"PYTHONPATH": f"{inside}:{inside}/scripts"},
                venv=venv,
                interpreter=python,
                skill=skill.name,
                dependencies=needed,
                is_code=True,
                used=_use_of(skill, staged),
                declares=declared is not None,
            )

    async def _python_for(self, needed: Dependencies) -> Path | None:
        """Another interpreter than the sandbox's own, for a script that asks for one."""
        if needed.requires_python is None:
            return None
        found = await self._environments.interpreter_for(needed)
        return None if str(found.path) == self._python else found.path

    async def python_of(self, script: Script) -> str:
        """The Python that a script has at hand, by its path, version and ABI."""
        needed = script.dependencies or Dependencies("", "")
        found = await self._environments.interpreter_for(needed)
        return f"{found.path} {found.version} {found.abi}"

    def may_use_network(self, skill: str) -> bool:
        return skill in self._networked

    def limits(self, timeout_seconds: float) -> Limits:
        return replace(
            self._limits,
            wall_seconds=timeout_seconds,
            cpu_seconds=math.ceil(timeout_seconds * CPU_SECONDS_PER_SECOND),
        )


def _use_of(skill: Skill, staged: Path) -> SkillUse:
    """As it was copied: a folder may change between two looks."""
    digest = staged.name.removeprefix(f"{skill.name}-")
    return SkillUse(skill.name, skill.metadata.get("version"), digest)


@asynccontextmanager
async def _told_of_code(declared: Dependencies | None) -> AsyncIterator[None]:
    """What cannot be installed is told of the code that declares it, and not of a skill."""
    try:
        yield
    except DependenciesUnavailable as error:
        if declared is None:
            raise
        raise CodePackagesUnavailable(
            where=declared.where, reason=error.fields["reason"]
        ) from error


def _as_part_of_package(entry: Entry, imports: Imports) -> Entry:
    """A script with relative imports runs as a module only, whatever it is called by."""
    if not imports.relative or entry.module is not None:
        return entry
    return Entry(entry.path, entry.path.removesuffix(".py").replace("/", "."))


def _search_path(skill: str, entry: Entry, imports: Imports) -> dict[str, str]:
    """Where Python looks for the skill's own modules beside the folder of the script."""
    folders = list(imports.folders)
    if entry.module is not None:
        # As from the skill's folder; and a script that is run by its path has its own as well.
        folders = [".", str(PurePosixPath(entry.path).parent), *folders]
    paths = dict.fromkeys(f"{SKILLS_FOLDER}/{skill}/{folder}" for folder in folders)
    cleaned = [path.removesuffix("/.") for path in paths]
    return {"PYTHONPATH": ":".join(dict.fromkeys(cleaned))} if cleaned else {}


async def _write(target: Path, source: bytes) -> None:
    """In a thread only what is long: to wake one up takes longer than to write a page."""
    if len(source) <= _SHORT_BYTES:
        _write_all(target, source)
    else:
        await asyncio.to_thread(_write_all, target, source)


def _write_all(target: Path, source: bytes) -> None:
    target.write_bytes(source)
    target.chmod(0o644)  # The sandbox's user reads it.
