"""What somebody may have meant who wrote a name that nothing has.

``difflib`` alone takes most of a second for a name of 64 characters among a thousand that are
alike, and everything else on the event loop would wait for it.
"""

import difflib
import heapq
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

MAX_CHARACTERS = 100

# Names are compared by the pairs of letters that they share; only so many as closely as it goes.
_CANDIDATES = 8
_REMEMBERED_NAMES = 8_192


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that is most like this one, if one is like it at all."""
    wanted = name[:MAX_CHARACTERS]
    pairs = _pairs(wanted)
    alike = heapq.nlargest(_CANDIDATES, known, key=lambda other: _likeness(pairs, _pairs(other)))
    return next(iter(difflib.get_close_matches(wanted, alike, n=1)), None)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """From 0 to 1: which share of their pairs is in both."""
    return len(one & other) / max(len(one | other), 1)


@lru_cache(maxsize=_REMEMBERED_NAMES)
def _pairs(name: str) -> frozenset[str]:
    text = f" {name[:MAX_CHARACTERS]} "  # How a name begins and ends counts as well.
    return frozenset(map("".join, pairwise(text)))
