"""The list of skills in a prompt: written once, and shortened for a model that reads less.

A prompt is recorded once, and read by whichever model answers. So what a model is sent is made of
the recorded text alone: whatever fits one model can be said again for another.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape, unescape
from typing import Self

from activities.skills.metadata import Skill

MAX_SKILLS_SHOWN = 100

# What descriptions are cut to, in characters, until all of them fit. One of the last still says
# what a skill is for; with less, a search serves a model better.
DESCRIPTION_CHARACTERS = (600, 400, 250, 160, 100)

_OPENING, _CLOSING = "<available_skills>", "</available_skills>"
_ENTRY = re.compile(r"<skill><name>(.*)</name><description>(.*)</description></skill>")
_MORE = re.compile(r"(\d+) more: ")

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class SkillSection:
    """``entries`` are names and descriptions; ``more`` skills are left to a search where it
    ``is_searched``, and can be loaded by whoever knows their names where it is not."""

    entries: tuple[tuple[str, str], ...]
    more: int = 0
    is_searched: bool = True

    @classmethod
    def of(cls, skills: Mapping[str, Skill], *, is_searched: bool = True) -> Self:
        shown = list(skills.values())
        entries = ((skill.name, " ".join(skill.description.split())) for skill in shown)
        section = cls(tuple(entries), is_searched=is_searched)
        if len(shown) <= MAX_SKILLS_SHOWN:
            return section
        if not is_searched:
            return section._cut(DESCRIPTION_CHARACTERS[-1])
        first = section.entries[:MAX_SKILLS_SHOWN]
        return replace(section, entries=first, more=len(shown) - MAX_SKILLS_SHOWN)

    def __str__(self) -> str:
        """In the form of the Agent Skills client guide."""
        lines = [_line(name, description) for name, description in self.entries]
        if self.more:
            told = "list_skills finds them" if self.is_searched else "they can be loaded by name"
            lines.append(f"{self.more} more: {told}.")
        return "\n".join([_OPENING, *lines, _CLOSING])

    def within(self, tokens: int, count: Count) -> Self:
        """As much of it as has ``tokens``: with shorter descriptions, then with fewer skills."""
        if _fits(str(self), tokens, count):
            return self
        # Without a search, a name alone is better than nothing.
        for characters in (*DESCRIPTION_CHARACTERS, *(() if self.is_searched else (0,))):
            shorter = self._cut(characters)
            if _fits(str(shorter), tokens, count):
                return shorter
        return shorter._fewer(tokens, count)

    def _cut(self, characters: int) -> Self:
        cut = ((name, cut_at_word(description, characters)) for name, description in self.entries)
        return replace(self, entries=tuple(cut))

    def _fewer(self, tokens: int, count: Count) -> Self:
        """The first ones. At the least, it says how many a search can find."""
        none = replace(self, entries=(), more=len(self.entries) + self.more)
        left = tokens - count(str(none))
        shown = 0
        for name, description in self.entries:
            left -= count(f"{_line(name, description)}\n")
            if left < 0:
                break
            shown += 1
        return replace(none, entries=self.entries[:shown], more=none.more - shown)


def split(prompt: str) -> tuple[str, SkillSection, str] | None:
    """A prompt as what comes before its list of skills, the list, and what follows.

    None where it has none that this module has written.
    """
    # The last one: what a person wrote of the agent comes before it, and cannot be escaped.
    before, opening, rest = prompt.rpartition(_OPENING)
    body, closing, after = rest.partition(_CLOSING)
    if not (opening and closing):
        return None
    section = _parse(body.strip().splitlines())
    return None if section is None else (before, section, after)


def cut_at_word(text: str, characters: int) -> str:
    """The beginning of ``text``, up to the end of a word, in at most ``characters``."""
    if len(text) <= characters:
        return text
    if characters < len("..."):
        return ""
    head = text[: characters - 3]
    at_word, space, _ = head.rpartition(" ")
    # A text without spaces, as in Chinese, is cut where it must be.
    return f"{at_word if space and len(at_word) > len(head) // 2 else head}..."


def _parse(lines: Sequence[str]) -> SkillSection | None:
    entries: list[tuple[str, str]] = []
    more = 0
    for line in lines:
        if entry := _ENTRY.fullmatch(line):
            entries.append((unescape(entry[1]), unescape(entry[2])))
        elif note := _MORE.match(line):
            more = int(note[1])
        else:
            return None
    return SkillSection(tuple(entries), more)


def _line(name: str, description: str) -> str:
    return (
        f"<skill><name>{escape(name)}</name>"
        f"<description>{escape(description)}</description></skill>"
    )


def _fits(text: str, tokens: int, count: Count) -> bool:
    return count(text) <= tokens
