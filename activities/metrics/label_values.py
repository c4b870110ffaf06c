"""Which values labels may have: each makes a series of its own, which Prometheus keeps for ever."""

import re

OTHER = "other"
MOST_VALUES = 64  # of one label of one metric; what comes later is OTHER
MOST_CHARACTERS = 100
OURS = frozenset({"route"})  # Labels whose values are our own, as many as there are in the code.

# Ids are as many as there are things. A date in the name of a model is none.
_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?<![0-9a-z])(?=[a-f]*[0-9])[0-9a-f]{12,}(?![0-9a-z])",
    re.IGNORECASE,
)


def looks_like_an_id(value: str) -> bool:
    return _ID.search(value) is not None


class LabelValues:
    """Of one label of one metric: the first that come, as far as they are no ids."""

    def __init__(self, most: float = MOST_VALUES) -> None:
        self._most = most
        self._known: set[str] = set()

    def bounded(self, value: str) -> str:
        if value in self._known:
            return value
        is_odd = len(value) > MOST_CHARACTERS or not value.isprintable() or looks_like_an_id(value)
        if is_odd or len(self._known) >= self._most:
            return OTHER
        self._known.add(value)
        return value
