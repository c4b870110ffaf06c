"""Summing up a talk: by rule, which means the beginnings of what was said last."""

import re

from deploy.offline_model import LABEL
from deploy.offline_model.conversation import Conversation
from deploy.offline_model.reply import Reply

_ASKS_FOR_MEMORY = re.compile(r"^You keep the memory of an agent\b", re.MULTILINE)
_SAID = re.compile(r"^(?:Somebody|The agent): .+|^- .+", re.MULTILINE)
_MOST_LINES = 60
_LINE_CHARACTERS = 160


def is_asked_to_remember(talk: Conversation) -> bool:
    return _ASKS_FOR_MEMORY.search(talk.system) is not None


def remember(talk: Conversation) -> Reply:
    """The former lines come first, and are the first to be given up."""
    said = [line.removeprefix("- ") for line in _SAID.findall(talk.prompt)]
    lines = [f"- {line[:_LINE_CHARACTERS]}" for line in said[-_MOST_LINES:]]
    return Reply("\n".join([f"{LABEL}: the beginnings of what was said.", *lines]))
