"""What a worker works with, in one bundle that steps, turns and tool calls are handed whole.

A new collaborator is a field here, and a value where the worker builds its own
(``worker/adapters.py``).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from activities.attempts.scratch import Scratch
from activities.attempts.scripts import Scripts
from activities.breakers.breakers import Breakers
from activities.inputs.fetching import Inputs
from activities.limits.slots import Slots
from activities.llm.models import Models
from activities.metrics.definitions import OF_WORKERS
from activities.metrics.numbers import Numbers
from activities.reminders.options import ReminderLimits
from activities.residents.options import ResidentOptions
from activities.results.cache import ResultCache
from activities.sandbox.base import Sandbox
from activities.skills.catalogue import Catalogue
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.tokens import Tokens
from activities.tools.searching import WebSearch

if TYPE_CHECKING:  # It knows the tools, which are given this.
    from activities.kinds.base import Installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """``worker_id`` is written beside what the worker runs, ``public_url`` comes before the paths
    of artifacts. Where none is configured, ``models`` and ``search`` are None; without ``slots`` no
    limit holds. ``names_files``: Temporal may have the names of files. ``installed`` judges what
    agents that stay ask for: tasks, and other agents. ``numbers`` are what this worker counts."""

    worker_id: str
    database: Database
    blobs: Blobs
    inputs: Inputs
    results: ResultCache
    sandbox: Sandbox
    scripts: Scripts
    catalogue: Catalogue
    scratch: Scratch
    tokens: Tokens
    breakers: Breakers
    installed: "Installed"
    models: Models | None = None
    search: WebSearch | None = None
    slots: Slots | None = None
    public_url: str = ""
    numbers: Numbers = field(default_factory=lambda: Numbers(OF_WORKERS))
    names_files: bool = False
    residents: ResidentOptions = field(default_factory=ResidentOptions)
    reminders: ReminderLimits = field(default_factory=ReminderLimits)
