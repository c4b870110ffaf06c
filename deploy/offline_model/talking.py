"""An agent that stays in a group: it answers people, and members who speak to it, and is silent
otherwise.

``@clerk: ask @critic to count the words`` is for the clerk, who says ``@critic: count the words``.
Words without a name are for all; those of another offline model answer somebody, and are heard.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from deploy.offline_model import LABEL
from deploy.offline_model.conversation import Conversation
from deploy.offline_model.reply import Reply
from workflows.discussions import SILENT

_HEAD = r"\[(?:(?P<aside>meanwhile in )?group [^\]\n]{1,120})\] (?P<author>[^:\n]{1,120}): "
_BEGIN = re.compile(rf"(?:^|\n\n){_HEAD}")
_NAME = r"@(?P<name>\w[\w.-]*\w|\w)"
_MENTION = re.compile(rf"(?<![\w@]){_NAME}[:,]\s*")
_PASS_ON = re.compile(
    rf"\bask\s+{_NAME},?\s+(?:to\s+|that\s+)?(?P<what>.+)", re.IGNORECASE | re.DOTALL
)
_OWN_NAME = re.compile(r"^You are (?P<name>[^,.\n]+)[,.]")

Answering = Callable[[Conversation], Reply]


@dataclass(frozen=True, slots=True)
class Said:
    """``is_aside``: it was said meanwhile, and is not to be answered."""

    author: str
    text: str
    is_aside: bool


def is_in_group(talk: Conversation) -> bool:
    """Whether what an agent has to answer was said in a group."""
    return any(not each.is_aside for each in said_in(talk.prompt))


def discuss(talk: Conversation, answer: Answering) -> Reply:
    """``answer`` is what an agent that stays does with what is said to it."""
    own = _OWN_NAME.match(talk.system)
    name = own["name"] if own else ""
    wanted = [
        text
        for each in said_in(talk.prompt)
        if not each.is_aside and (text := _for(name, each.text))
    ]
    if not wanted:
        return Reply(SILENT)
    passed_on = [_passed_on(text) for text in wanted]
    if all(passed_on):
        return Reply("\n".join([f"{LABEL}.", *passed_on]))
    return answer(replace(talk, prompt="\n\n".join(wanted)))


def said_in(prompt: str) -> Iterator[Said]:
    for found, end in _parts(_BEGIN, prompt):
        text = prompt[found.end() : end].strip()
        yield Said(found["author"], text, is_aside=found["aside"] is not None)


def _for(name: str, text: str) -> str:
    """What is said to an agent of this name; nothing if it is said to others."""
    if _MENTION.search(text) is None:
        return "" if text.startswith(LABEL) else text
    parts = [
        text[found.end() : end].strip()
        for found, end in _parts(_MENTION, text)
        if _is_same(found["name"], name)
    ]
    return "\n".join(parts)


def _parts(begin: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], int]]:
    """Where each part begins, and the place at which it ends."""
    begins = list(begin.finditer(text))
    for number, found in enumerate(begins, start=1):
        yield found, begins[number].start() if number < len(begins) else len(text)


def _passed_on(text: str) -> str:
    found = _PASS_ON.search(text)
    return f"@{found['name']}: {found['what'].strip()}" if found else ""


def _is_same(mention: str, name: str) -> bool:
    return mention.casefold() == "-".join(name.casefold().split())
