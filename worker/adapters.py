"""The adapters of a worker, built from their options and given back at the end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from activities.inputs import InputPolicy, Inputs
from activities.sandbox.base import Limits, Sandbox
from activities.scratch import Scratch
from activities.scripts import Scripts
from activities.skills.catalogue import Catalogue
from activities.skills.environments import Environments
from activities.skills.staging import Stage
from activities.steps import Steps
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.tasks import Tasks
from activities.tools.registry import Registry


@dataclass(frozen=True, slots=True)
class AdapterOptions:
    """``work_folder`` must be such that the sandbox's user can pass through; ``python`` is the
    interpreter that runs scripts, ``uv`` the program that installs what they need, and
    ``environment`` that of this process: uv gets of it what it needs to reach a package index."""

    worker_id: str
    work_folder: Path
    skill_folders: tuple[Path, ...]
    python: Path
    uv: Path
    limits: Limits
    input_policy: InputPolicy
    environment: Mapping[str, str] = field(repr=False)
    networked_skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adapters:
    steps: Steps
    tasks: Tasks


@asynccontextmanager
async def adapters(
    database: Database, blobs: Blobs, sandbox: Sandbox, options: AdapterOptions
) -> AsyncIterator[Adapters]:
    scratch = await asyncio.to_thread(Scratch, options.work_folder)
    try:
        steps = Steps(
            worker_id=options.worker_id,
            database=database,
            blobs=blobs,
            inputs=Inputs(database, blobs, options.work_folder / "inputs", options.input_policy),
            sandbox=sandbox,
            scripts=_scripts(options),
            tools=Registry(),
            scratch=scratch,
        )
        yield Adapters(steps=steps, tasks=Tasks(database))
    finally:
        await asyncio.to_thread(scratch.close)


def _scripts(options: AdapterOptions) -> Scripts:
    return Scripts(
        Catalogue(options.skill_folders),
        Stage(options.work_folder),
        Environments(
            options.work_folder, options.python, options.uv, environment=options.environment
        ),
        python=options.python,
        limits=options.limits,
        networked=options.networked_skills,
    )
