"""What somebody asks of an agent that stays: calls of its tools, by plain words."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.offline_model.conversation import Conversation
from deploy.offline_model.messages import Message
from deploy.offline_model.reply import Call

_NAME = r"[\"'“]?(?P<name>[\w.-]*\w)[\"'”]?"
_CHILD = re.compile(
    r"\b(?:ask|tell|create|make|have|get)\s+(?:an?|your|the)?\s*(?:new\s+)?(?:child|agent)\s+"
    rf"(?:named|called)\s+{_NAME},?\s+(?:and (?:tell|ask) it\s+)?(?:to\s+|that\s+|who\s+)?"
    r"(?P<what>.+)",
    re.IGNORECASE | re.DOTALL,
)
_TELL = re.compile(
    rf"\b(?:ask|tell|message|write to|send a message to)\s+{_NAME}\s*(?:\bto\b|\bthat\b|:|,)\s*"
    r"(?P<what>.+)",
    re.IGNORECASE | re.DOTALL,
)
_NOBODY = frozenset(
    [
        "me",
        "us",
        "you",
        "it",
        "them",
        "him",
        "her",
        "everybody",
        "everyone",
        "somebody",
        "someone",
        "people",
    ]
)
_TERMINATE = re.compile(rf"\bterminate\s+(?:the\s+)?(?:agent\s+|child\s+)?{_NAME}", re.IGNORECASE)
_REMIND = re.compile(r"\bremind\s+(?:me|us|you|yourself)\b(?P<what>.+)", re.IGNORECASE | re.DOTALL)
_DURATION = r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]+)"
_AFTER = re.compile(rf"\b(?:in|after)\s+{_DURATION}\b", re.IGNORECASE)
_EVERY = re.compile(rf"\bevery\s+{_DURATION}\b", re.IGNORECASE)
_AT = re.compile(r"\bat\s+(?P<at>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))", re.IGNORECASE)
_UNITS = {"s": "s", "m": "m", "h": "h", "d": "d"}
_REMEMBER = re.compile(
    r"^\s*(?:please\s+)?remember(?:\s+that|:)?\s+(?P<what>.+)", re.IGNORECASE | re.DOTALL
)
_RECALL = re.compile(
    r"\b(?:what (?:do|did) you (?:remember|know|note)|recall)\b(?:\s+(?:about|of))?"
    r"(?P<what>[^?.\n]*)",
    re.IGNORECASE,
)
_WHO = re.compile(r"\bwho is there\b|\blist (?:all |the |your )?(?:other )?agents\b", re.IGNORECASE)
_REMINDERS = re.compile(r"\blist (?:all |the |your )?reminders\b", re.IGNORECASE)


def calls_asked_for(message: Message, talk: Conversation) -> tuple[Call, ...]:
    """Those that a message asks for in so many words, of tools that are offered; one of them."""
    text = message.text
    for call in _wanted(text, message, talk):
        if call.tool in talk.tools:
            return (call,)
    return ()


def _wanted(text: str, message: Message, talk: Conversation) -> Iterator[Call]:
    """All that it might mean, the likeliest first."""
    if found := _CHILD.search(text):
        files = files_meant(message, talk)
        arguments = {"name": found["name"], "instructions": found["what"].strip()}
        yield Call("create_agent", {**arguments, **({"attachments": files} if files else {})})
    if found := _REMIND.search(text):
        yield Call("remind_me", _reminder(found["what"]))
    if (found := _TELL.search(text)) and found["name"].lower() not in _NOBODY:
        yield told(found["name"], found["what"].strip(), files_meant(message, talk))
    if found := _TERMINATE.search(text):
        yield Call("terminate_agent", {"name": found["name"]})
    if found := _REMEMBER.search(text):
        yield _with_one_text("remember", found["what"].strip(), talk)
    if found := _RECALL.search(text):
        yield _with_one_text("recall", found["what"].strip() or "*", talk)
    if _WHO.search(text):
        yield Call("list_agents", {})
    if _REMINDERS.search(text):
        yield Call("list_reminders", {})


def told(name: str, content: str, files: list[str]) -> Call:
    """The call that sends a message."""
    arguments = {"to": name, "content": content}
    return Call("send_message", {**arguments, **({"attachments": files} if files else {})})


def files_meant(message: Message, talk: Conversation) -> list[str]:
    """The files that a message names, else those that came with it."""
    known = [file.name for file in talk.inputs]
    named = [name for name in known if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message.text)]
    return named or list(message.files)


def _reminder(what: str) -> Mapping[str, Any]:
    """When, and of what. Without a time it is wrong, and the tool says so."""
    arguments: dict[str, Any] = {}
    rest = what
    for name, pattern in (("after", _AFTER), ("every", _EVERY), ("at", _AT)):
        if found := pattern.search(rest):
            arguments[name] = found["at"] if name == "at" else _duration(found)
            rest = rest[: found.start()] + " " + rest[found.end() :]
    text = re.sub(r"^[\s,]*(?:to|of|about|that)\b", "", " ".join(rest.split())).strip(" ,.;:")
    return {"text": text or what.strip(), **arguments}


def _duration(found: re.Match[str]) -> str:
    """``5 minutes`` as ``5m``. A unit that is none is left for the tool to refuse."""
    unit = found["unit"].lower()
    return f"{found['number']}{_UNITS.get(unit[:1], unit)}"


def _with_one_text(tool: str, text: str, talk: Conversation) -> Call:
    """A call whose one argument is a text, whatever that is called."""
    schema = talk.tools.get(tool, {})
    properties = schema.get("properties") or {"text": {}}
    names = schema.get("required") or list(properties)
    return Call(tool, {names[0]: text})
