"""What an agent that stays was told, message by message. See ``activities.residents.prompts``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_NOTICE = "notice"
_ANSWERS = " answers"
_BEGIN = re.compile(r"(?:^|\n\n)(?=\[[^\]\n]{1,120}\] )")
_SENDER = re.compile(r"\[(?P<sender>[^\]\n]+)\] ")
_WITH = re.compile(r"\n\[with (?P<names>[^\]\n]+)\]\s*$")


@dataclass(frozen=True, slots=True)
class Message:
    """``sender`` is an agent, or empty where a person wrote. ``files`` came with it."""

    text: str
    sender: str = ""
    is_notice: bool = False
    is_answer: bool = False
    files: tuple[str, ...] = ()


def messages_of(prompt: str) -> Sequence[Message]:
    return [_message(part) for part in _parts(prompt) if part.strip()]


def _parts(prompt: str) -> Iterator[str]:
    start = 0
    for found in _BEGIN.finditer(prompt):
        yield prompt[start : found.start()]
        start = found.end()
    yield prompt[start:]


def _message(part: str) -> Message:
    begun = _SENDER.match(part)
    sender = begun["sender"] if begun else ""
    # The further lines of others are indented.
    text = part[begun.end() :].replace("\n  ", "\n") if begun else part
    files: tuple[str, ...] = ()
    if given := _WITH.search(text):
        files, text = tuple(given["names"].split(", ")), text[: given.start()]
    return Message(
        text=text.strip(),
        sender="" if sender == _NOTICE else sender.removesuffix(_ANSWERS),
        is_notice=sender == _NOTICE,
        is_answer=sender.endswith(_ANSWERS),
        files=files,
    )
