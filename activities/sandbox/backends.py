"""The sandbox backends, by the names that ``AGENTOS_SANDBOX`` takes.

A new one is a module with a function ``build``, and a line here. Its clients may be slow to load:
only the module that is asked for is imported.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from activities.sandbox.base import Sandbox

BACKENDS: Mapping[str, str] = {
    "bubblewrap": "activities.sandbox.bubblewrap",
    "e2b": "activities.sandbox.e2b",
}
DEFAULT_BACKEND = "bubblewrap"
MAX_RUNNING = 32
MAX_WAITING = 8  # sandboxes, each of 4 MB and three processes


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """What backends are made from; each takes what it needs.

    ``work_folder`` is where the files of jobs lie, ``max_running`` how many jobs run at once on
    this machine, ``warm`` how many sandboxes may wait for jobs to come. ``private_hosts`` are
    patterns of hosts inside the house that jobs with network may reach.
    """

    work_folder: Path
    max_running: int = MAX_RUNNING
    warm: int = MAX_WAITING
    private_hosts: tuple[str, ...] = ()
    e2b_api_key: SecretStr | None = field(default=None, repr=False)
    e2b_template: str | None = None


def build(name: str, options: SandboxOptions) -> Sandbox:
    """The backend of this name, which must be one of ``BACKENDS``.

    Raises:
        SandboxUnavailable: something that it needs is missing; says how to fix it.
    """
    make: Callable[[SandboxOptions], Sandbox] = importlib.import_module(BACKENDS[name]).build
    return make(options)
