"""Which of many things a few words mean: tools and skills, by their names and descriptions."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from itertools import takewhile

# A word of the name tells more than one of the description, and one that only begins alike less.
_NAME_WEIGHT = 3.0
_KIN_WEIGHT = 0.5
# Forms of one word have so many characters in common at least, and if both have an ending of their
# own, as repository and repositories, so much of the longer one.
_MIN_STEM_CHARACTERS = 4
_STEM_SHARE = 0.75

# Whoever writes more has pasted something. It bounds the time that a search takes.
_MAX_WORDS = 32
_MAX_CHARACTERS = 2_000

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def rank(query: str, texts: Mapping[str, str]) -> Sequence[str]:
    """The names of those that ``query`` fits, the best first. ``texts`` are descriptions by name.

    Words that few of them have count for more. A query that is a name comes first; one without
    words fits all, in their order.
    """
    wanted = list(dict.fromkeys(_words(query)))[:_MAX_WORDS]
    if not wanted:
        return list(texts)
    names = {name: frozenset(_words(name)) for name in texts}
    said = {name: frozenset(_words(text[:_MAX_CHARACTERS])) for name, text in texts.items()}
    common = Counter(word for name in texts for word in names[name] | said[name])
    scores = dict.fromkeys(texts, 0.0)
    for word in wanted:
        kin = frozenset(other for other in common if _are_akin(word, other))
        rarity = math.log(1 + len(texts) / (1 + common[word]))
        for name in texts:
            in_name = _NAME_WEIGHT * _likeness(word, kin, names[name])
            scores[name] += rarity * max(in_name, _likeness(word, kin, said[name]))
    exact = query.strip().casefold()
    return sorted(
        (name for name, score in scores.items() if score or name.casefold() == exact),
        key=lambda name: (name.casefold() != exact, -scores[name]),
    )


def _likeness(word: str, kin: Set[str], words: Set[str]) -> float:
    if word in words:
        return 1.0
    return 0.0 if words.isdisjoint(kin) else _KIN_WEIGHT


def _are_akin(word: str, other: str) -> bool:
    """Whether they are forms of one word, as far as their letters tell: issue and issues. A script
    that writes no spaces has a whole sentence for a word."""
    if not word.isascii():
        return word in other or other in word
    if word[:_MIN_STEM_CHARACTERS] != other[:_MIN_STEM_CHARACTERS]:
        return False
    stem = _common_beginning(word, other)
    if stem < _MIN_STEM_CHARACTERS:
        return False
    return stem == min(len(word), len(other)) or stem >= _STEM_SHARE * max(len(word), len(other))


def _common_beginning(word: str, other: str) -> int:
    pairs = zip(word, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _words(text: str) -> Sequence[str]:
    return [word.casefold() for word in _WORD.findall(_HUMP.sub(" ", text))]
