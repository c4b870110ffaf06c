"""Questions of a tool's server: put to a person as the questions of `ask_human` are.

The call in which a server asks is over: it was told that nobody answers now. The workflow waits for
the person, however long that takes and whichever workers die, and the call is made again with all
replies so far.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from activities.store.approvals import Approval, Elicitation
from activities.tools.mcp.questions import MAX_QUESTIONS, Question, Reply
from workflows.contracts import Verdict

_ACTIONS: Mapping[Verdict, Reply] = {
    Verdict.DENIED: Reply("decline"),
    Verdict.EXPIRED: Reply("cancel"),
}


class Unreadable(Exception):
    """An answer does not fit its question."""


def replies_so_far(approval: Approval | None, verdict: Verdict | None) -> dict[str, Reply]:
    """The replies to the questions of a call, the last of which is decided by ``verdict``.

    Raises:
        Unreadable: the answer does not fit the question; the reason is for a person.
    """
    if approval is None or approval.elicitation is None or verdict is None:
        return {}
    asked = approval.elicitation
    replies = {key: Reply.of(reply) for key, reply in asked.replies.items()}
    question = Question(asked.text, asked.form)
    if verdict in _ACTIONS:
        return replies | {question.key: _ACTIONS[verdict]}
    try:
        content = question.content(approval.note or "")
    except ValueError as error:
        raise Unreadable(str(error)) from error
    return replies | {question.key: Reply("accept", content)}


def may_ask(replies: Mapping[str, Reply]) -> bool:
    return len(replies) < MAX_QUESTIONS


def approval_of(
    question: Question, replies: Mapping[str, Reply], attempt: int, seconds: float
) -> Approval:
    """The question as it waits for an answer for so many seconds."""
    return _approval(
        question.shown,
        Elicitation(
            asked_in=attempt,
            text=question.text,
            form=None if question.schema is None else dict(question.schema),
            replies={key: asdict(reply) for key, reply in replies.items()},
        ),
        seconds,
    )


def asked_again(approval: Approval, reason: str, attempt: int, seconds: float) -> Approval:
    """The same question, after an answer that does not fit."""
    assert approval.elicitation is not None
    elicitation = approval.elicitation.model_copy(update={"asked_in": attempt})
    shown = Question(elicitation.text, elicitation.form).shown
    return _approval(f"Your answer cannot be used: {reason}.\n{shown}", elicitation, seconds)


def _approval(shown: str, elicitation: Elicitation, seconds: float) -> Approval:
    now = datetime.now(UTC)
    return Approval(
        id=uuid4(),
        kind="answer",
        question=shown,
        asked_at=now,
        expires_at=now + timedelta(seconds=seconds),
        elicitation=elicitation,
    )
