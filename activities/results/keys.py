"""Keys: one SHA-256 over all that the result of a step follows from.

What is the same in two steps but not here, such as how long each may take, must not change what a
step gives that ends well. Nothing in here is a secret: definitions hold none.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import UUID

from pydantic import JsonValue

from activities.sandbox.base import VENV_LOCK, Limits

# Another one makes all that was kept before void.
VERSION = 1


@dataclass(frozen=True, slots=True)
class ScriptIngredients:
    """``command`` is the command line inside the sandbox: interpreter, script and arguments.

    ``skills`` are the skills at hand, named by their content, and ``lock`` is the SHA-256 of what
    is installed of their dependencies. ``inputs`` are the SHA-256 of the files in
    ``/workspace/input`` by their names there. ``sandbox`` and ``python`` tell where it runs.
    """

    team_id: UUID
    sandbox: str
    python: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    inputs: Mapping[str, str]
    skills: tuple[str, ...]
    lock: str | None
    language: str | None
    source: str | None
    network: bool
    limits: Limits

    @property
    def key(self) -> str:
        limits = asdict(self.limits)
        # What ends well within its time does so with more of it, too.
        del limits["wall_seconds"], limits["cpu_seconds"]
        return _key({**asdict(self), "kind": "script", "limits": limits})


@dataclass(frozen=True, slots=True)
class ToolIngredients:
    """``digest`` is that of the tool's definition, and of its code where that is known;
    ``arguments`` are what it is called with. ``inputs`` are the SHA-256 of the files from outside
    that they name, by their references: what lies there may change.
    """

    team_id: UUID
    tool: str
    digest: str
    arguments: JsonValue
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        ingredients = {**asdict(self), "kind": "tool"}
        if not self.inputs:
            del ingredients["inputs"]  # Of most there are none, and those keys are older.
        return _key(ingredients)


def lock_of(venv: Path) -> str:
    """The SHA-256 of the lock that an environment was made from."""
    return hashlib.sha256((venv / VENV_LOCK).read_bytes()).hexdigest()


def _key(ingredients: Mapping[str, object]) -> str:
    document = {**ingredients, "version": VERSION}
    written = json.dumps(document, sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()
