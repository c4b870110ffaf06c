"""``finish`` for a plan: what its nodes said and made, and what is missing."""

from collections.abc import Iterator, Sequence

from deploy.offline_model import LABEL
from deploy.offline_model.conversation import Conversation
from deploy.offline_model.ending import finish_arguments
from deploy.offline_model.filling import Facts
from deploy.offline_model.reply import Call, Reply
from deploy.offline_model.reports import Told, told_nodes

_SAID_CHARACTERS = 400
# What became of a node that has not completed, by its state.
_WHY = {"failed": "failed", "blocked": "failed", "dropped": "was dropped"}


def is_planned(talk: Conversation) -> bool:
    """Whether a plan was made and has run, and all that is left is to tell of it."""
    return "finish" in talk.tools and bool(told_nodes(talk))


def synthesise(talk: Conversation) -> Reply:
    """The end of a plan, by the summaries and the names of files of its nodes."""
    nodes = list(told_nodes(talk).values())
    missing = [node for node in nodes if node.is_missing]
    summary = "\n".join([f"{LABEL}.", *_lines(nodes)])
    facts = Facts(
        prompt=talk.prompt,
        summary=summary,
        names=tuple(name for node in nodes for name in node.files),
        is_success=not missing,
    )
    refused = any(action.tool == "finish" for action in talk.actions)
    arguments = finish_arguments(talk.tools["finish"], facts, is_whole=refused)
    return Reply(f"{LABEL}: putting the results together.", (Call("finish", arguments),))


def _lines(nodes: Sequence[Told]) -> Iterator[str]:
    for node in nodes:
        said = " ".join(node.said.split())[:_SAID_CHARACTERS]
        if node.is_missing:
            why = _WHY.get(node.state, f"is {node.state}")
            yield f"- Missing: {node.id} ({node.title}), which {why}. {said}".strip()
        else:
            made = f" Files: {', '.join(node.files)}." if node.files else ""
            yield f"- {node.id} ({node.title}): {said or 'done.'}{made}"
