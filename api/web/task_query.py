"""What the address of the list of tasks says, and the addresses that differ from it a little."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlencode

from workflows.states import Status

Pair = tuple[str, str]
Since = Literal["1h", "24h", "7d", "30d"]

SINCE: dict[Since, tuple[str, timedelta]] = {
    "1h": ("the last hour", timedelta(hours=1)),
    "24h": ("the last day", timedelta(days=1)),
    "7d": ("the last week", timedelta(days=7)),
    "30d": ("the last month", timedelta(days=30)),
}
PATH = "/"
_STATES = ("status", "retrying")
# They have fields of their own in the form.
_FIELDS = ("text", "type", "since")
_SPECIAL = {
    "schedule_id": "schedule",
    "parent_id": "nodes of",
    "created_after": "after",
    "created_before": "before",
}


@dataclass(frozen=True, slots=True)
class View:
    """A choice of states that people ask for, with its part of a query."""

    name: str
    pairs: tuple[Pair, ...] = ()


def _states(*statuses: Status) -> tuple[Pair, ...]:
    return tuple(("status", str(status)) for status in statuses)


VIEWS = (
    View("All"),
    View("Running", _states(Status.RUNNING)),
    View("Retrying now", (("retrying", "true"),)),
    View("Waiting for you", _states(Status.WAITING)),
    View("Queued", _states(Status.PENDING, Status.QUEUED)),
    View("Paused", _states(Status.PAUSED)),
    View("Failed", _states(Status.FAILED, Status.BLOCKED)),
    View("Completed", _states(Status.COMPLETED)),
    View("Cancelled", _states(Status.CANCELLED)),
)


@dataclass(frozen=True, slots=True)
class Link:
    """``is_current``: it leads here."""

    name: str
    address: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """The query of the list, as it was sent."""

    pairs: Sequence[Pair]

    @property
    def views(self) -> Sequence[Link]:
        """The same with other states, from the first page on."""
        present = set(self._only(*_STATES))
        return [
            Link(
                view.name,
                _address([*self._without(*_STATES, "cursor"), *view.pairs]),
                present == set(view.pairs),
            )
            for view in VIEWS
        ]

    @property
    def chips(self) -> Sequence[Link]:
        """Each special filter, with the address without it."""
        return [
            Link(f"{said} {value}", _address(self._without(name, "cursor")))
            for name, said in _SPECIAL.items()
            for value in self.all(name)
        ]

    @property
    def is_filtered(self) -> bool:
        return any(True for _ in self._without("cursor", "limit"))

    @property
    def kept(self) -> Sequence[Pair]:
        """What the form has no field for, and sends all the same."""
        return list(self._without(*_FIELDS, "cursor"))

    @property
    def filters(self) -> Sequence[Pair]:
        """Which tasks are meant, whichever page of them is shown."""
        return list(self._without("cursor", "limit"))

    @property
    def back(self) -> str:
        """The address of the list."""
        return _address(self.pairs)

    @property
    def first(self) -> str | None:
        """The address of the first page, from a later one."""
        return _address(self._without("cursor")) if self.all("cursor") else None

    def following(self, cursor: str | None) -> str | None:
        return cursor and _address([*self._without("cursor"), ("cursor", cursor)])

    def one(self, name: str) -> str:
        """The value of a field; empty where there are none, or several."""
        found = self.all(name)
        return found[0] if len(found) == 1 else ""

    def all(self, name: str) -> Sequence[str]:
        return [value for _, value in self._only(name)]

    def _only(self, *names: str) -> Iterator[Pair]:
        return (pair for pair in self.pairs if pair[0] in names)

    def _without(self, *names: str) -> Iterator[Pair]:
        return (pair for pair in self.pairs if pair[0] not in names)


def _address(pairs: Iterator[Pair] | Sequence[Pair]) -> str:
    query = urlencode(list(pairs))
    return f"{PATH}?{query}" if query else PATH
