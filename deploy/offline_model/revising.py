"""``revise_plan``: the rules know no second way, so they leave out what failed, or give up."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from deploy.offline_model import LABEL
from deploy.offline_model.conversation import Conversation
from deploy.offline_model.jobs import MAY_LEAVE_OUT
from deploy.offline_model.reply import Call, Reply
from deploy.offline_model.reports import Told, told_nodes
from deploy.offline_model.splitting import MAKE_PLAN

REVISE_PLAN = "revise_plan"

_FILES_NAMED = re.compile(r"on these files: [^.]*\.$")
_NODE = re.compile(r"\$\{nodes\.(?P<id>[A-Za-z][\w-]*)\.")


def revise(talk: Conversation) -> Reply:
    """Empty unless the prompt allows a result that lacks something: then the nodes that others feed
    go on with what there is, and those that have nothing left are dropped."""
    nodes = told_nodes(talk)
    failed = {
        node.id
        for node in nodes.values()
        if node.state in {"failed", "blocked"} and not node.is_left
    }
    names = ", ".join(sorted(failed)) or "a node"
    last = talk.actions[-1] if talk.actions else None
    if last is not None and last.tool == REVISE_PLAN and last.observation.is_failure:
        return _revision("the revision that the rules make was sent back", [], [])
    if not failed or not MAY_LEAVE_OUT.search(talk.prompt):
        return _revision(f"{names} failed, and the rules know no other way", [], [])
    pending = [node for node in _planned(talk) if _state_of(node, nodes) == "pending"]
    drop, rewire = _without(failed, pending)
    return _revision(f"{names} failed; the rest goes on without it", drop, rewire)


def _revision(reason: str, drop: Sequence[str], rewire: Sequence[Mapping[str, Any]]) -> Reply:
    arguments = {
        "reason": f"{LABEL}: {reason}.",
        "add": [],
        "drop": list(drop),
        "rewire": list(rewire),
    }
    return Reply(f"{LABEL}: looking at what failed.", (Call(REVISE_PLAN, arguments),))


def _state_of(node: Mapping[str, Any], nodes: Mapping[str, Told]) -> str | None:
    told = nodes.get(str(node.get("id")))
    return None if told is None else told.state


def _planned(talk: Conversation) -> Sequence[Mapping[str, Any]]:
    """The nodes of the plan, as they were given."""
    for action in reversed(talk.actions):
        nodes = action.arguments.get("nodes")
        if action.tool == MAKE_PLAN and isinstance(nodes, list):
            return [node for node in nodes if isinstance(node, dict)]
    return []


def _without(
    failed: Collection[str], pending: Sequence[Mapping[str, Any]]
) -> tuple[Sequence[str], Sequence[Mapping[str, Any]]]:
    """Ids of nodes that cannot do anything without the ``failed`` ones, and the others anew."""
    gone, rewired = set(failed), dict[str, Mapping[str, Any]]()
    for _ in pending:  # One may only be lost by another that comes later in the list.
        for node in pending:
            if node["id"] in gone or gone.isdisjoint(_needs(node)):
                continue
            if (left := _left_of(node, gone)) is None:
                gone.add(node["id"])
            else:
                rewired[node["id"]] = left
    dropped = [node["id"] for node in pending if node["id"] in gone]
    return dropped, [node for name, node in rewired.items() if name not in gone]


def _needs(node: Mapping[str, Any]) -> set[str]:
    named = _NODE.finditer(json.dumps(node.get("inputs", {})))
    return {found["id"] for found in named} | {*node.get("depends_on", ())}


def _left_of(node: Mapping[str, Any], gone: set[str]) -> Mapping[str, Any] | None:
    """The node with the inputs that it still has; None where they do not do."""
    inputs = {
        name: text
        for name, text in node.get("inputs", {}).items()
        if gone.isdisjoint(found["id"] for found in _NODE.finditer(text))
    }
    # What a pipeline runs was made for all of its inputs.
    if not inputs or node.get("kind") == "pipeline":
        return None
    described = _FILES_NAMED.sub(f"on these files: {', '.join(inputs)}.", node["description"])
    depends_on = [name for name in node.get("depends_on", ()) if name not in gone]
    return {**node, "description": described, "inputs": inputs, "depends_on": depends_on}
