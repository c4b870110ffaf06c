"""What a worker works with, as tests give it to their own."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from uv import find_uv_bin

from activities.attempts.scratch import Scratch
from activities.attempts.scripts import Scripts
from activities.breakers.breakers import Breakers
from activities.equipment import Equipment
from activities.inputs.fetching import Inputs
from activities.inputs.policy import InputPolicy
from activities.kinds.base import Installed
from activities.llm.base import ModelOptions
from activities.llm.models import Models
from activities.results.cache import ResultCache
from activities.sandbox.base import Limits
from activities.sandbox.bubblewrap import Bubblewrap
from activities.skills.catalogue import Catalogue
from activities.skills.environments import Environments
from activities.skills.staging import Stage
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.tokens import Tokens
from activities.tools.registry import Registry

TOKENS = Tokens()


def installed(equipment: Equipment, models: ModelOptions | None = None) -> Installed:
    """What there is for tasks that use this equipment."""
    return replace(equipment.installed, models=models)


def equipment(
    database: Database,
    blobs: Blobs,
    folder: Path,
    *,
    skills: Path | None = None,
    networked: Collection[str] = (),
    models: Models | None = None,
) -> Equipment:
    """Of this machine: its work folder is ``folder``. Whoever has a job run closes the sandbox."""
    sandbox = Bubblewrap(folder)
    catalogue = Catalogue([skills] if skills else [])
    environments = Environments(folder, sandbox.python, Path(find_uv_bin()), environment={})
    scripts = Scripts(
        catalogue,
        Stage(folder),
        environments,
        python=sandbox.python,
        limits=Limits(wall_seconds=30),
        networked=networked,
    )
    known = Installed(
        database=database,
        blobs=blobs,
        catalogue=catalogue,
        tools=Registry(),
        models=None,
        inputs=InputPolicy(),
        approval_seconds=3_600.0,
    )
    return Equipment(
        worker_id="worker-1",
        database=database,
        blobs=blobs,
        inputs=Inputs(database, blobs, folder / "inputs", InputPolicy()),
        results=ResultCache(database, blobs, claim_seconds=1.0),
        sandbox=sandbox,
        scripts=scripts,
        catalogue=catalogue,
        scratch=Scratch(folder),
        tokens=TOKENS,
        breakers=Breakers(database),
        installed=known,
        models=models,
    )
