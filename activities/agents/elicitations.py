"""Questions of a tool's server: put to a person as the questions of `ask_human` are.

The call in which a server asks is over: it was told that nobody answers now. The workflow waits for
the person, however long that takes and whichever workers die, and the call is made again with all
replies so far.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from activities.store.approvals import Approval, Elicitation
from activities.tools.mcp.questions import MAX_QUESTIONS, Question, Reply
from workflows.agent_contracts import Verdict

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
    if verdict in _ACTIONS:
        return replies | {asked.key: _ACTIONS[verdict]}
    try:
        content = question_of(asked).content(approval.note or "")
    except ValueError as error:
        raise Unreadable(str(error)) from error
    return replies | {asked.key: Reply("accept", content)}


def may_ask(replies: Mapping[str, Reply]) -> bool:
    return len(replies) < MAX_QUESTIONS


def approval_of(
    question: Question, replies: Mapping[str, Reply], attempt: int, seconds: float, before: int
) -> Approval:
    """The question as it waits for an answer for so many seconds, after ``before`` others."""
    return _approval(
        question.shown,
        Elicitation(
            asked_in=attempt,
            text=question.text,
            form=None if question.schema is None else json.dumps(question.schema),
            url=question.url,
            key=question.key,
            replies={key: asdict(reply) for key, reply in replies.items()},
        ),
        seconds,
        before,
    )


def question_of(asked: Elicitation) -> Question:
    """The question as it was asked."""
    return Question(asked.text, None if asked.form is None else json.loads(asked.form), asked.url)


def asked_again(approval: Approval, reason: str, attempt: int, seconds: float) -> Approval:
    """The same question, after an answer that does not fit."""
    assert approval.elicitation is not None
    elicitation = approval.elicitation.model_copy(update={"asked_in": attempt})
    shown = f"Your answer cannot be used: {reason}.\n{question_of(elicitation).shown}"
    return _approval(shown, elicitation, seconds, approval.number)


def _approval(shown: str, elicitation: Elicitation, seconds: float, before: int) -> Approval:
    now = datetime.now(UTC)
    return Approval(
        id=uuid4(),
        kind="answer",
        question=shown,
        asked_at=now,
        expires_at=now + timedelta(seconds=seconds),
        number=before + 1,
        elicitation=elicitation,
    )
