"""A prompt taken apart: its sentences and their clauses, without what is quoted or in brackets."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ASIDE = re.compile(r"\([^()\n]*\)|\"[^\"\n]*\"|“[^”\n]*”|`[^`\n]*`|(?<!\w)'[^'\n]*'(?!\w)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n")
_CLAUSE_END = re.compile(r"[,;:]\s|\band then\b|\bthen\b|\band\b")
# A sentence that begins with such a clause is about each file, up to its end.
_FOR_EACH = re.compile(r"\s*(?:do this |please )?(?:for|with) (?:each|every)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clause:
    """``text`` has blanks for what is quoted or in brackets; ``start`` and ``end`` are places in
    the prompt. ``is_for_each``: its sentence begins with "for each file"."""

    text: str
    start: int
    end: int
    is_for_each: bool = False


def clauses_of(prompt: str) -> Sequence[Clause]:
    plain = _ASIDE.sub(lambda found: " " * len(found[0]), prompt)
    return [
        clause
        for start, end in _parts(plain, 0, len(plain), _SENTENCE_END)
        for clause in _clauses(plain, start, end)
    ]


def _clauses(plain: str, start: int, end: int) -> Iterator[Clause]:
    is_for_each = _FOR_EACH.match(plain, start, end) is not None
    for first, last in _parts(plain, start, end, _CLAUSE_END):
        if plain[first:last].strip(" .!?,;:"):
            yield Clause(plain[first:last], first, last, is_for_each)


def _parts(text: str, start: int, end: int, border: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    for found in border.finditer(text, start, end):
        yield start, found.start()
        start = found.end()
    yield start, end
