"""How the scripts of skills are called and what they write, where a conversation tells it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.offline_model.calls import load, loads_of
from deploy.offline_model.conversation import Conversation, Skill
from deploy.offline_model.products import Product, product_of
from deploy.offline_model.reply import Reply
from deploy.offline_model.usage import Usage, Word, read_usage

_SECTION = re.compile(
    r"<(?P<tag>\w+) name=\"(?P<name>[^\"]+)\">(?P<text>.*?)</(?P=tag)>", re.DOTALL
)
_HEADING = re.compile(r"^[\s#*`\-|]*(?P<name>[a-z0-9][a-z0-9-]*)\b", re.MULTILINE)
_TAKES_MANY = re.compile(r"\b(?:two or more|several|files together)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Manual:
    """``is_told``: it was read, and not guessed from what the skill is for."""

    usage: Usage
    product: Product
    is_told: bool = True

    @property
    def is_complete(self) -> bool:
        """Whether it tells as well which files there will be."""
        return self.is_told and bool(self.product.kinds)


def manual_of(skill: Skill, talk: Conversation) -> Manual:
    """What was said of its first script."""
    for text in _texts(skill, talk):
        usage = read_usage(text)
        if usage.script is not None:
            return Manual(usage, product_of(usage, text, skill.description))
    is_many = _TAKES_MANY.search(skill.description) is not None
    usage = Usage(words=(Word("FILE", is_place=True, is_many=is_many),))
    return Manual(usage, product_of(usage, "", skill.description), is_told=False)


def loading(skills: Sequence[Skill], talk: Conversation) -> Reply | None:
    """The calls that tell how these skills are used, where nothing has and something can."""
    if "load_skill" not in talk.tools:
        return None
    unknown = [s for s in skills if not (loads_of(s, talk) or manual_of(s, talk).is_complete)]
    return load(unknown, talk) if unknown else None


def _texts(skill: Skill, talk: Conversation) -> Iterator[str]:
    """What it was told when it was loaded, else what the prompt of the system has on it."""
    yield from (load.observation.text for load in loads_of(skill, talk))
    for found in _SECTION.finditer(talk.system):
        if found["name"] == skill.name:
            yield found["text"]
    known = {other.name for other in talk.catalogue}
    headings = [found for found in _HEADING.finditer(talk.system) if found["name"] in known]
    ends = [*(heading.start() for heading in headings[1:]), len(talk.system)]
    for heading, end in zip(headings, ends, strict=False):
        if heading["name"] == skill.name:
            yield talk.system[heading.end() : end]
