"""``make_plan``: a branch for each file, and nodes that join what the branches made."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from deploy.offline_model import LABEL
from deploy.offline_model.calls import calls_of
from deploy.offline_model.conversation import Action, Conversation
from deploy.offline_model.flow import Part, parts_of
from deploy.offline_model.jobs import Unplannable, jobs_of, skills_asked_for
from deploy.offline_model.manuals import loading
from deploy.offline_model.nodes import PlannedNode, by_branch, grouped
from deploy.offline_model.reply import Call, Reply
from workflows.definitions.plan import DEFAULT_NODES

MAKE_PLAN = "make_plan"
_AT_MOST = re.compile(r"\bat most (?P<count>\d{1,3}) nodes\b", re.IGNORECASE)
# What a person says who denies a call. See ``activities.agents.observations``.
_NOTE = re.compile(r"Denied: .*?They say: (?P<note>.*)", re.DOTALL)


def split(talk: Conversation) -> Reply:
    """A plan with branches side by side; what has none is atomic, and so is all that the rules do
    not understand."""
    sent_back = calls_of(talk, MAKE_PLAN)
    talk = _as_denied(talk, sent_back)
    if unsound := [call for call in sent_back if not _note_in(call)]:
        problem = unsound[0].observation.problem
        return _atomic(f"the plan that the rules make was sent back: {problem}")
    if reply := loading([skill for _, skill in skills_asked_for(talk)], talk):
        return reply
    try:
        arguments = _plan(talk)
    except Unplannable as reason:
        return _atomic(str(reason))
    if any(call.arguments == arguments for call in sent_back):
        return _atomic("the rules know no other plan")
    return Reply(f"{LABEL}: splitting the work by its files.", (Call(MAKE_PLAN, arguments),))


def _plan(talk: Conversation) -> Mapping[str, Any]:
    parts = parts_of(jobs_of(talk), talk)
    if len({part.branch for part in parts if not part.is_joint}) < 2:
        raise Unplannable(reason="nothing in it can be done side by side")
    has_to_say_why = "why" in _node_properties(talk)
    most = _most_nodes(talk)
    # Whoever wants a reason for each node wants few of them.
    groups = by_branch(parts, most) if has_to_say_why else grouped(parts, most)
    nodes = [PlannedNode(group, groups, talk) for group in groups]
    return {
        "nodes": [
            {**node.written, **({"why": node.why} if has_to_say_why else {})} for node in nodes
        ],
        "reason": _reason(parts),
    }


def _as_denied(talk: Conversation, sent_back: Sequence[Action]) -> Conversation:
    """With what a person has said to earlier plans as a part of the prompt."""
    notes = [note for note in map(_note_in, sent_back) if note]
    if not notes:
        return talk
    return replace(talk, prompt="\n".join([talk.prompt, *notes]), noted_from=len(talk.prompt))


def _note_in(call: Action) -> str:
    found = _NOTE.match(call.observation.text)
    return found["note"].strip() if found else ""


def _atomic(reason: str) -> Reply:
    arguments = {"atomic": True, "reason": f"{LABEL}: {reason}."}
    return Reply(f"{LABEL}: one agent does all of it.", (Call(MAKE_PLAN, arguments),))


def _reason(parts: Sequence[Part]) -> str:
    branches = dict.fromkeys(part.branch for part in parts if not part.is_joint)
    each = dict.fromkeys(part.job.word for part in parts if not part.is_joint)
    joint = dict.fromkeys(part.job.word for part in parts if part.is_joint)
    joined = f"; {', '.join(joint)} for all of them" if joint else ""
    return f"{LABEL}: {', '.join(each)} for each of {', '.join(branches)}{joined}."


def _most_nodes(talk: Conversation) -> int:
    """As the prompt of the system has it, or the schema."""
    if said := _AT_MOST.search(talk.system):
        return int(said["count"])
    limit = _nodes_schema(talk).get("maxItems")
    return limit if isinstance(limit, int) else DEFAULT_NODES


def _node_properties(talk: Conversation) -> Mapping[str, Any]:
    items = _nodes_schema(talk).get("items")
    properties = items.get("properties") if isinstance(items, Mapping) else None
    return properties if isinstance(properties, Mapping) else {}


def _nodes_schema(talk: Conversation) -> Mapping[str, Any]:
    properties = talk.tools[MAKE_PLAN].get("properties")
    nodes = properties.get("nodes") if isinstance(properties, Mapping) else None
    return nodes if isinstance(nodes, Mapping) else {}
