"""Parts of a work as the steps of a pipeline: what they take from outside are its inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.offline_model.conversation import Conversation
from deploy.offline_model.flow import Item, Part, unused


@dataclass(frozen=True, slots=True)
class Piping:
    """``inputs`` are the files from outside, by the names that ``steps`` refer to them by."""

    inputs: Mapping[str, Item]
    steps: Sequence[Mapping[str, Any]]


def piped(parts: Sequence[Part], talk: Conversation) -> Piping:
    """Raises ``Unplannable`` where a script needs a value that the prompt does not say."""
    inside = {part.id for part in parts}
    inputs = outside(parts)
    names = {item: name for name, item in inputs.items()}

    def reference(item: Item) -> str:
        if item.maker in inside and item.is_all:
            return f"${{steps.{item.maker}.files}}"
        if item.maker in inside:
            return f"${{steps.{item.maker}.files['{item.file.name}']}}"
        return f"${{inputs.{names[item]}}}"

    return Piping(inputs, [_step(part, [reference(i) for i in part.takes], talk) for part in parts])


def outside(parts: Sequence[Part]) -> Mapping[str, Item]:
    """What parts take that none of them makes, by a name for each."""
    inside = {part.id for part in parts}
    taken = (item for part in parts for item in part.takes if item.maker not in inside)
    found: dict[str, Item] = {}
    for item in dict.fromkeys(taken):
        keeps_name = item.maker is None and item.file.name not in found
        found[item.file.name if keeps_name else unused(item.file.stem, found)] = item
    return found


def _step(part: Part, references: Sequence[str], talk: Conversation) -> Mapping[str, Any]:
    script = part.job.manual.usage.script
    return {
        "id": part.id,
        "skill": part.job.skill.name,
        **({"script": script} if script else {}),
        "args": [
            word if word in references else word.replace("${", "$${")
            for word in part.arguments(references, talk)
        ],
    }
