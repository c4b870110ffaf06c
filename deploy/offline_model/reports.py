"""What became of the nodes of a plan, as the planner is told it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.offline_model.conversation import Conversation

PLANNED_BY = ("make_plan", "revise_plan")

# See ``activities.plans.reporting``.
_NODE = re.compile(
    r"^(?P<id>[A-Za-z][\w-]*) \((?P<title>.+)\): (?P<state>[a-z]+)"
    r"(?P<left>, and the plan goes on without it)?$",
    re.MULTILINE,
)
_OUTPUT = re.compile(r"<output>\n(?P<said>.*?)\n</output>", re.DOTALL)
_FILES = re.compile(r"^Files: (?P<names>.+?)(?:, and \d+ more)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Told:
    """A node: what it said, or why it failed, and the names of the files that it made. ``is_left``:
    the plan goes on without it."""

    id: str
    title: str
    state: str
    said: str
    files: Sequence[str]
    is_left: bool = False

    @property
    def is_missing(self) -> bool:
        return self.state != "completed"


def told_nodes(talk: Conversation) -> Mapping[str, Told]:
    """The nodes by id, as the last report has them; empty where there was none."""
    for action in reversed(talk.actions):
        if action.tool in PLANNED_BY and not action.observation.is_failure:
            return {node.id: node for node in _read(action.observation.text)}
    return {}


def _read(text: str) -> Sequence[Told]:
    # What nodes say may look like a node: it is put aside, and comes back for what it is.
    said = [found["said"] for found in _OUTPUT.finditer(text)]
    rest = _OUTPUT.sub("<output>", text)
    found = list(_NODE.finditer(rest))
    nodes = []
    ends = [*(node.start() for node in found[1:]), len(rest)]
    for node, end in zip(found, ends, strict=False):
        section = rest[node.end() : end]
        count = section.count("<output>")
        words, said = said[:count], said[count:]
        files = _FILES.search(section)
        names = files["names"].split(", ") if files else ()
        is_left = node["left"] is not None or node["state"] == "dropped"
        nodes.append(
            Told(node["id"], node["title"], node["state"], "\n".join(words), names, is_left)
        )
    return nodes
