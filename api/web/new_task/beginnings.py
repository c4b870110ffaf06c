"""What the form begins with: a skill, a task of before, an example, or nothing."""

import re
from collections.abc import Mapping
from copy import deepcopy
from importlib.resources import files
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from pydantic import JsonValue

from api.web.new_task.fields import CHOICES, MORE, READERS, TYPES, Filled, InputRow, shown
from api.web.task_definition import USUAL_PRIORITY, in_order
from api.wire.responses.skills import Skill
from api.wire.responses.tasks import Task
from api.wire.yaml_writer import yaml_text

# By their names, in the order in which they are offered.
EXAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "hello": "Hello, without any input",
        "profile-a-csv": "Describe the columns of a CSV file",
        "clean-and-chart": "Clean a CSV file, draw a chart of it, and report",
        "chart-for-each-value": "Draw a chart for each value of a column, side by side",
    }
)
_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_SENTENCE = re.compile(r"[.!?](?:\s|$)")
_DESCRIPTION_CHARACTERS = 200


def new_key() -> str:
    return uuid4().hex


def blank(type_: str) -> Filled:
    return Filled(type_, new_key())


def of_example(name: str) -> Filled:
    """The example of that name, which there must be."""
    path = files("api.web.new_task") / "examples" / f"{name}.yaml"
    return Filled("pipeline", new_key(), {"pipeline": path.read_text(encoding="utf-8")})


def of_skill(skill: Skill) -> Filled:
    """A pipeline of one step that runs a skill on a file."""
    return Filled("pipeline", new_key(), {"pipeline": skeleton_of(skill)})


def agent_with(skill: Skill) -> Filled:
    """An agent that has this skill, and no other."""
    return Filled("agent", new_key(), chosen={"skills": (skill.name,)})


def skeleton_of(skill: Skill) -> str:
    """A pipeline that works as it stands, once its input is given."""
    first = _SENTENCE.split(skill.description, maxsplit=1)[0][:_DESCRIPTION_CHARACTERS]
    step: dict[str, JsonValue] = {"id": _step_id(skill.name), "skill": skill.name}
    others = ""
    if len(skill.scripts) > 1:
        step["script"] = skill.scripts[0]
        others = "# Other scripts of this skill: " + ", ".join(skill.scripts[1:]) + "\n"
    step["args"] = ["${inputs.data}"]
    document: dict[str, JsonValue] = {
        "name": skill.name,
        "description": " ".join(first.split()),
        "inputs": ["data"],
        "steps": [step],
    }
    return yaml_text(document) + others


def _step_id(name: str) -> str:
    cleaned = _NAME.sub("-", name)[:60]
    return cleaned if cleaned[:1].isalpha() else f"step-{cleaned}"


def of_task(task: Task) -> Filled:
    """A task of before, to be edited and run again."""
    type_ = task.type if task.type in TYPES else "auto"
    definition = deepcopy(task.definition or {})
    texts = {"prompt": task.prompt or ""}
    chosen: dict[str, tuple[str, ...]] = {}
    if task.priority != USUAL_PRIORITY:
        texts["priority"] = str(task.priority)
    if type_ == "pipeline":
        texts = {**texts, "pipeline": yaml_text(in_order(definition))}
    elif type_ in ("agent", "plan"):
        for name in CHOICES if type_ == "agent" else ():
            if isinstance(given := definition.pop(name, None), list):
                chosen[name] = tuple(map(str, given))
        texts |= _taken(type_, definition)
        if definition:
            texts[MORE] = yaml_text(definition)
    rows = tuple(InputRow(name, ref) for name, ref in task.inputs.items())
    return Filled(type_, new_key(), texts, chosen, rows)


def _taken(type_: str, definition: dict[str, Any]) -> dict[str, str]:
    """What the form has a field for, which is taken out of the ``definition``."""
    texts: dict[str, str] = {}
    for name in READERS[type_]:
        first, *path = name.split(".")
        if first != type_:
            continue
        *above, last = path
        at: Any = definition
        for part in above:
            at = at.get(part) if isinstance(at, dict) else None
        if isinstance(at, dict) and not _is_nothing(at.get(last)):
            texts[name] = shown(at.pop(last))
    for name in [key for key, value in definition.items() if _is_nothing(value)]:
        del definition[name]
    return texts


def _is_nothing(value: Any) -> bool:
    """What may be left out; zero may not."""
    return value is None or value is False or value == {}
