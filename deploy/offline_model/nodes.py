"""The nodes of a plan: which parts of the work are one, and how it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from deploy.offline_model.conversation import Conversation
from deploy.offline_model.flow import Item, Part, unused
from deploy.offline_model.jobs import Unplannable
from deploy.offline_model.piping import outside, piped
from deploy.offline_model.selection import MAX_FILES

_TITLE_CHARACTERS = 120
# A node cannot name more.
_MOST_FILES = 20


@dataclass(frozen=True, slots=True)
class Group:
    """The parts that are one node."""

    id: str
    parts: Sequence[Part]


def grouped(parts: Sequence[Part], most: int) -> Sequence[Group]:
    """What is a node each: a part, or else as ``by_branch`` has it."""
    if len(parts) <= most:
        return [Group(part.id, [part]) for part in parts]
    return by_branch(parts, most)


def by_branch(parts: Sequence[Part], most: int) -> Sequence[Group]:
    """What is a node each: all parts of a branch, or of several where there are too many.

    Raises:
        Unplannable: even those are more than ``most``.
    """
    branches: dict[str, list[Part]] = {}
    for part in parts:
        branches.setdefault(part.branch, []).append(part)
    joint = branches.pop("", [])
    room = most - bool(joint)
    if room < 2:
        raise Unplannable(reason=f"{most} nodes are too few for work side by side")
    size = -(-len(branches) // room)
    groups: dict[str, Group] = {}
    names = list(branches)
    for chunk in (names[start : start + size] for start in range(0, len(names), size)):
        name = unused("-to-".join(dict.fromkeys([chunk[0], chunk[-1]])), groups)
        groups[name] = Group(name, list(chain.from_iterable(branches[it] for it in chunk)))
    if joint:
        name = unused(joint[-1].id, groups)
        groups[name] = Group(name, joint)
    return list(groups.values())


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """The node of a ``group``, among those of the others."""

    group: Group
    groups: Sequence[Group]
    talk: Conversation

    @property
    def parts(self) -> Sequence[Part]:
        return self.group.parts

    @property
    def written(self) -> Mapping[str, Any]:
        """As ``make_plan`` takes it. Whom it waits for follows from its files."""
        inputs = outside(self.parts)
        return {
            "id": self.group.id,
            "title": _title(self.parts)[:_TITLE_CHARACTERS],
            "inputs": {name: self._reference(item) for name, item in inputs.items()},
            "files": self._files(),
            **(self._of_agent(inputs) if self._is_open else self._of_pipeline()),
        }

    @property
    def why(self) -> str:
        """What is gained by a node of its own."""
        names = ", ".join(dict.fromkeys(part.id for part in self.parts))
        if any(part.is_joint for part in self.parts):
            return f"{names}: waits for all others, and puts together what they made."
        return f"{names}: runs side by side with the other files."

    @property
    def _is_open(self) -> bool:
        """Whether an agent has to judge what to do with the files, where it can take them all."""
        [first, *others] = self.parts
        usage = first.job.manual.usage
        is_clear = any(option.is_required for option in usage.options)
        is_one = first.is_joint and usage.takes_many and not others
        return is_one and not is_clear and len(first.takes) <= MAX_FILES

    def _of_pipeline(self) -> Mapping[str, Any]:
        return {"kind": "pipeline", "steps": list(piped(self.parts, self.talk).steps)}

    def _of_agent(self, inputs: Mapping[str, Item]) -> Mapping[str, Any]:
        [part] = self.parts
        part.arguments([*inputs], self.talk)  # It fails here where a value is missing.
        asked, skill = part.job.clause.strip(" .,;:"), part.job.skill.name
        return {
            "kind": "agent",
            "description": (
                f"{asked[:1].upper()}{asked[1:]}. Use the skill {skill} on these files: "
                f"{', '.join(inputs)}."
            ),
            "skills": [skill],
        }

    def _reference(self, item: Item) -> str:
        if item.maker is None:
            return f"${{inputs.{item.file.name}}}"
        if item.is_all:
            raise Unplannable(reason=f"nothing here says which files {item.maker} leaves")
        return f"${{nodes.{self._maker(item)}.files['{item.file.name}']}}"

    def _maker(self, item: Item) -> str:
        return next(
            group.id for group in self.groups if any(part.id == item.maker for part in group.parts)
        )

    def _files(self) -> Sequence[str]:
        """What others take first: no more can be named than a node may have."""
        taken = {
            item.file.name
            for group in self.groups
            if group is not self.group
            for part in group.parts
            for item in part.takes
        }
        made = [i.file.name for part in self.parts for i in part.makes if not i.is_all]
        needed = [name for name in made if name in taken]
        if len(needed) > _MOST_FILES:
            raise Unplannable(reason=f"a node would have to leave {len(needed)} files")
        return list(dict.fromkeys([*needed, *made]))[:_MOST_FILES]


def _title(parts: Sequence[Part]) -> str:
    words = " and ".join(dict.fromkeys(part.job.word for part in parts))
    files = dict.fromkeys(item.branch for part in parts for item in part.takes if item.branch)
    return f"{words[:1].upper()}{words[1:]} {', '.join(files)}".strip()
