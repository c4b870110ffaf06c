"""The JSON schema of a node as a model is sent it: made of the model ``Node``, in few words.

Providers differ in what they take of JSON schema, so it has no references and only the keywords
that all of them know. What it leaves out is checked when the plan is.
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from workflows.definitions.plan import Atomicity, Node, Plan
from workflows.states import NodeKind

# By the name of the field; each field of a node is here.
ABOUT: Mapping[str, str] = {
    "id": "A letter, then letters, digits, _ and -; at most 63 characters.",
    "title": "A few words for people.",
    "description": (
        "All that whoever works on it must know, and what its result has to be: nobody sees this "
        "conversation. Left out only for a pipeline."
    ),
    "kind": (
        "agent: a model with tools and skills. reasoning: one answer of a model, without tools and "
        "files. pipeline: a fixed sequence of steps, without a model, for skills and tools whose "
        "arguments are known now."
    ),
    "depends_on": "Ids of nodes whose results it needs, beside those that make its inputs.",
    "inputs": (
        "Files that it is given, by the name it knows them under. Each value is one reference: "
        "${inputs.NAME} for a file of the task, ${nodes.ID.files['NAME']} for one in the files of "
        "another node."
    ),
    "files": "Names of the files that it has to make.",
    "output_schema": "JSON schema of its result, where others need more than words.",
    "skills": "Skills that it needs; left out, it may use all.",
    "tools": "Tools that it needs, by name; left out, it may use all.",
    "steps": (
        "Of a pipeline: each has exactly one of skill (with script), tool and code. args: a list "
        "for skill and code, an object for a tool. ${inputs.NAME} is a file of this node, "
        "${steps.ID.files['NAME']} one of an earlier step; stdout, json and exit_code likewise."
    ),
    "size": "large: about three times the work of a small one.",
    "why": "What is gained by a node of its own here, that one agent could not do as well.",
}
_KIND_PLAN = " plan: large, and split again by another planner."
# A person who writes a pipeline may set more; the usual does for a planner.
_STEP_FIELDS = frozenset({"id", "skill", "script", "tool", "code", "args"})
_CODE_FIELDS = frozenset({"language", "source"})
_KEPT = ("type", "enum", "required", "additionalProperties")


def node_schema(plan: Plan) -> dict[str, Any]:
    """The schema of a node of this plan."""
    node = deepcopy(_any_node())
    properties = node["properties"]
    for name, about in ABOUT.items():
        properties[name]["description"] = about
    step = properties["steps"]["items"]
    _keep(step, _STEP_FIELDS)
    _keep(step["properties"]["code"], _CODE_FIELDS)
    if plan.depth > 1:
        properties["kind"]["description"] += _KIND_PLAN
    else:
        properties["kind"]["enum"].remove(NodeKind.PLAN.value)
    if plan.atomicity is not Atomicity.RELAXED:
        del properties["why"]
    return node


@cache
def _any_node() -> dict[str, Any]:
    """To make it takes longer than all else that a planner does before it asks its model."""
    schema = Node.model_json_schema()
    return _plain(schema, schema.get("$defs", {}))


def _keep(schema: dict[str, Any], fields: frozenset[str]) -> None:
    known = schema["properties"]
    schema["properties"] = {name: known[name] for name in known if name in fields}


def _plain(part: Any, named: Mapping[str, Any]) -> dict[str, Any]:
    """Without references, ``null`` and what only some providers take."""
    if not isinstance(part, dict):
        return {}
    if reference := part.get("$ref"):
        return _plain(named[reference.rpartition("/")[2]], named)
    if choices := [item for item in part.get("anyOf", ()) if item.get("type") != "null"]:
        if len(choices) == 1:
            return _plain(choices[0], named)
        return {"anyOf": [_plain(item, named) for item in choices]}
    plain = {name: part[name] for name in _KEPT if name in part}
    # What a name must look like is left out: not all providers take a pattern of names.
    by_pattern = tuple(part.get("patternProperties", {}).values())
    values = by_pattern[0] if by_pattern else part.get("additionalProperties")
    if isinstance(values, dict):
        plain["additionalProperties"] = _plain(values, named) or True
    if "properties" in part:
        properties = part["properties"].items()
        plain["properties"] = {name: _plain(item, named) for name, item in properties}
    if "items" in part:
        plain["items"] = _plain(part["items"], named)
    return plain
