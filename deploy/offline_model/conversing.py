"""An agent that stays: the next step of an answer to what it was told."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from deploy.offline_model import LABEL
from deploy.offline_model.asking import calls_asked_for, told
from deploy.offline_model.beginning import START_TASK, begin
from deploy.offline_model.calls import calls_of, was_called
from deploy.offline_model.conversation import Action, Conversation
from deploy.offline_model.jobs import Unplannable
from deploy.offline_model.messages import Message, messages_of
from deploy.offline_model.observation import Observation
from deploy.offline_model.reply import Call, Reply

# What an agent says to another that is no request, and needs no answer.
REPORT = "Done: "
_ENDED = re.compile(r"^The \w+ task .+ that you began has ended: \w+\.", re.MULTILINE)
_REMINDER = "Reminder: "
_BESIDE = re.compile(r"\b(?:as|in|start|run|with) a (?:task|pipeline)\b", re.IGNORECASE)
_SHOWN_CHARACTERS = 1_000

Answering = Callable[[Conversation], Reply]
Outcome = Reply | Sequence[str]
"""The next call, or what is to be said of a message that is dealt with."""


def is_resident(talk: Conversation) -> bool:
    """Whether it is an agent that stays: only those are offered these tools."""
    return not {"send_message", START_TASK, "remind_me"}.isdisjoint(talk.tools)


def converse(talk: Conversation, answer: Answering) -> Reply:
    """``answer`` is what an agent does with work that is for itself."""
    lines: list[str] = []
    for message in messages_of(talk.prompt):
        outcome = _dealt_with(message, talk, answer)
        if isinstance(outcome, Reply):
            return outcome
        lines += outcome
    return Reply("\n".join([f"{LABEL}.", *lines]))


def _dealt_with(message: Message, talk: Conversation, answer: Answering) -> Outcome:
    if message.is_notice and _ENDED.search(message.text):
        return _reported(message, talk)
    if message.is_answer or (message.sender and message.text.startswith(REPORT)):
        return [f"{message.sender} says: {message.text[:_SHOWN_CHARACTERS]}"]
    is_reminder = message.is_notice and message.text.startswith(_REMINDER)
    asked = replace(message, text=message.text.removeprefix(_REMINDER)) if is_reminder else message
    if calls := calls_asked_for(asked, talk):
        return _made(calls, talk)
    if START_TASK in talk.tools and (message.sender or _BESIDE.search(message.text)):
        try:
            return begin(asked, talk) or _said_of(calls_of(talk, START_TASK))
        except Unplannable:
            pass
    if message.is_notice:
        return [message.text[:_SHOWN_CHARACTERS]]
    reply = answer(replace(talk, prompt=asked.text))
    return reply if reply.calls else [reply.text.removeprefix(f"{LABEL}.").strip()]


def _made(calls: Sequence[Call], talk: Conversation) -> Outcome:
    for call in calls:
        wanted = _or_else(call, talk)
        if not was_called(wanted, talk):
            return Reply(f"{LABEL}: calling {wanted.tool}, as I was asked.", (wanted,))
    done = [_or_else(call, talk) for call in calls]
    return _said_of([each for each in talk.actions if any(_is_of(call, each) for call in done)])


def _or_else(call: Call, talk: Conversation) -> Call:
    """A child that is there already is told what a new one would have been."""
    made = [each for each in talk.actions if _is_of(call, each)]
    if call.tool != "create_agent" or not made or "already" not in made[-1].observation.text:
        return call
    given = made[-1].arguments
    return told(given["name"], given["instructions"], list(given.get("attachments", ())))


def _is_of(call: Call, action: Action) -> bool:
    return action.tool == call.tool and action.arguments == call.arguments


def _said_of(actions: Sequence[Action]) -> Sequence[str]:
    return [
        f"- {action.tool}{' failed' if action.observation.is_failure else ''}: "
        f"{action.observation.said[:_SHOWN_CHARACTERS]}"
        for action in actions
    ]


def _reported(message: Message, talk: Conversation) -> Outcome:
    """Who has a parent tells it what the task has come to, with its files."""
    if "list_agents" not in talk.tools or "send_message" not in talk.tools:
        return [message.text[:_SHOWN_CHARACTERS]]
    if not (listed := calls_of(talk, "list_agents")):
        return Reply(f"{LABEL}: looking for whom to tell.", (Call("list_agents", {}),))
    if (parent := _parent(listed[-1])) is None:
        return [message.text[:_SHOWN_CHARACTERS]]
    files = list(Observation(message.text).files)
    call = told(parent, f"{REPORT}{message.text[:_SHOWN_CHARACTERS]}", files)
    return _made((call,), talk)


def _parent(listed: Action) -> str | None:
    try:
        agents = json.loads(listed.observation.said.splitlines()[0])
        return next((each["name"] for each in agents if each["is"] == "your parent"), None)
    except (ValueError, LookupError, TypeError):
        return None
