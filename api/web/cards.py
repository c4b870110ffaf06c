"""What waits for a person, as cards: everything that they decide on, and what they may say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.datastructures import FormData

from activities.plans.opening import MAKE_PLAN
from activities.store.reading.plan_calls import PLAN_CALL
from api.web.arguments import MAX_SHOWN_CHARACTERS, Arguments, arguments_of, digest_of, json_text
from api.web.elicitation import FormField, fields_of_form, is_about_a_field, words_of
from api.wire.responses.approvals import WaitingCall
from workflows.pointers import Problem

_MAX_NODES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Refused:
    """What somebody has sent about a call, and why it cannot be done; ``said`` in one sentence."""

    call_id: UUID
    given: FormData
    problems: Sequence[Problem]
    said: str


@dataclass(frozen=True, slots=True)
class NodeOfPlan:
    """A node as it is proposed; a model may have put anything in the place of anything."""

    name: str
    title: str
    description: str
    kind: str
    after: str


@dataclass(frozen=True, slots=True)
class Card:
    """``text`` is what can be edited, as JSON: the arguments, or the nodes of a plan; empty where
    nothing can. The last fields are what is wrong with what somebody has sent."""

    call: WaitingCall
    arguments: Arguments
    question: str
    fields: Sequence[FormField] = ()
    nodes: Sequence[NodeOfPlan] = ()
    edits: str = ""
    text: str = ""
    digest: str = ""
    note: str = ""
    is_open: bool = False
    wrong_text: Sequence[str] = ()
    wrong_note: Sequence[str] = ()
    wrong: Sequence[str] = ()

    @property
    def is_question(self) -> bool:
        return self.call.kind == "answer"

    @property
    def is_answered(self) -> bool:
        """Whether the note is the answer."""
        return self.is_question and self.call.url is None and self.call.form is None

    @property
    def is_decidable(self) -> bool:
        """Whoever approves something has seen all of it."""
        return not self.arguments.is_cut


def card_of(
    call: WaitingCall,
    *,
    is_whole: bool = False,
    may_be_long: bool = False,
    refused: Refused | None = None,
) -> Card:
    """``is_whole``: however long it is. It can be edited then only if it ``may_be_long``."""
    arguments = arguments_of(call.arguments, is_whole=is_whole)
    edits, original = _editable(call)
    is_edited = bool(edits) and (len(original) <= MAX_SHOWN_CHARACTERS or may_be_long)
    given = None if refused is None else refused.given
    problems = [] if refused is None else refused.problems
    in_text = [each for each in problems if edits and each.pointer.startswith(f"/{edits}")]
    has_form = call.form is not None
    in_note = [each for each in problems if each.pointer == "/note"]
    in_fields = [each for each in in_note if has_form and is_about_a_field(each, call)]
    others = [each for each in problems if each not in [*in_text, *in_note]]
    return Card(
        call=call,
        arguments=arguments,
        question=words_of(call),
        fields=fields_of_form(call, given, in_fields) if has_form else (),
        nodes=_nodes(call),
        edits=edits if is_edited else "",
        text=str(given["text"]) if given and "text" in given else original if is_edited else "",
        digest=digest_of(original) if is_edited else "",
        note=str(given.get("note", "")) if given else "",
        is_open=bool(in_text) or may_be_long,
        wrong_text=[_placed(each, f"/{edits}") for each in in_text],
        wrong_note=[each.message for each in in_note if each not in in_fields],
        wrong=[_placed(each) for each in others],
    )


def _editable(call: WaitingCall) -> tuple[str, str]:
    """The name of what can be edited, and that as JSON."""
    if call.kind != "approval":
        return "", ""
    if call.type != PLAN_CALL:
        return "arguments", json_text(call.arguments)
    if call.tool != MAKE_PLAN or not isinstance(call.arguments, dict):
        return "", ""
    return "nodes", json_text(call.arguments.get("nodes") or [])


def _nodes(call: WaitingCall) -> Sequence[NodeOfPlan]:
    if call.type != PLAN_CALL or not isinstance(call.arguments, dict):
        return ()
    nodes = call.arguments.get("nodes")
    found = nodes if isinstance(nodes, list) else []
    return [_node(node) for node in found[:_MAX_NODES_SHOWN] if isinstance(node, dict)]


def _node(node: Mapping[str, Any]) -> NodeOfPlan:
    after = node.get("depends_on")
    name, kind = str(node.get("id", "")), str(node.get("kind", "agent"))
    return NodeOfPlan(
        name=name,
        title=str(node.get("title") or name),
        description=str(node.get("description", "")),
        kind="" if kind == "agent" else kind,
        after=", ".join(map(str, after)) if isinstance(after, list) else "",
    )


def _placed(problem: Problem, within: str = "") -> str:
    place = problem.pointer.removeprefix(within)
    return f"{place}: {problem.message}" if place else problem.message
