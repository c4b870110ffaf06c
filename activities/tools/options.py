"""The options of ``@tool()``, as they are checked when a module of tools is loaded: what is wrong
with one would else be found in the midst of a call, or by nobody."""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from workflows.definitions.fallback import Fallback
from workflows.definitions.lifetimes import MAX_LIFETIME, MIN_LIFETIME
from workflows.states import Permission

# A call is an activity, and no activity of a tool is to outlive a day.
MAX_TIMEOUT_SECONDS = 86_400.0

_SHOWN_CHARACTERS = 60


class Need(StrEnum):
    """What a tool cannot do without: it is not offered where that is missing."""

    SKILLS = "skills"
    SEARCH = "search"
    SERVER_TOOLS = "server tools"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an option may be. ``read`` gives its value, or raises ``ValueError``; ``write`` is what
    to write in its place."""

    read: Callable[[Any], Any]
    write: str


def read(options: Mapping[str, Any], arguments: Collection[str]) -> dict[str, Any]:
    """The options with texts taken for the enums that they stand for. ``arguments`` are those of
    the function.

    Raises:
        ValueError: with the first that is wrong, and what to write.
    """
    found = dict(_read(options))
    question = found.get("question")
    if question is not None and question not in arguments:
        named = ", ".join(arguments) or "none"
        raise ValueError(
            f"`question={shown(question)}` is no argument of the function; it has: {named}"
        )
    return found


def _read(options: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        wanted = _WANTED[name]
        try:
            yield name, wanted.read(value)
        except ValueError as error:
            raise ValueError(f"`{name}={shown(value)}` will not do: {wanted.write}") from error


def shown(value: object) -> str:
    return repr(value)[:_SHOWN_CHARACTERS]


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    if not 0 < value <= MAX_TIMEOUT_SECONDS:  # No number that is none is, either.
        raise ValueError
    return value


def _lifetime(value: object) -> timedelta:
    if not isinstance(value, timedelta) or not MIN_LIFETIME <= value <= MAX_LIFETIME:
        raise ValueError
    return value


def _condition(value: object) -> object:
    if not callable(value) or inspect.iscoroutinefunction(value):
        raise ValueError
    return value


def _of_type(kind: type) -> Callable[[object], object]:
    def read(value: object) -> object:
        if not isinstance(value, kind):
            raise ValueError
        return value

    return read


def _one_of(*texts: str) -> Callable[[object], object]:
    def read(value: object) -> object:
        if value not in texts:
            raise ValueError
        return value

    return read


def _enum(kind: type[StrEnum]) -> Wanted:
    members = [f"{kind.__name__}.{member.name}" for member in kind]
    texts = [f'"{member}"' for member in kind]
    return Wanted(kind, f"write {_either(members)}, or as text {_either(texts)}")


def _either(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _or_none(wanted: Wanted) -> Wanted:
    def read(value: object) -> object:
        return None if value is None else wanted.read(value)

    return Wanted(read, wanted.write)


def _texts(*texts: str) -> Wanted:
    return Wanted(_one_of(*texts), f"write {_either([repr(text) for text in texts])}")


_FLAG = Wanted(_flag, "write True or False")

_WANTED: Mapping[str, Wanted] = {
    "permission": _enum(Permission),
    "timeout_seconds": Wanted(
        _seconds, f"write a number of seconds above 0, at most {MAX_TIMEOUT_SECONDS:g}"
    ),
    "cache": _or_none(
        Wanted(
            _lifetime,
            "write how long to keep its results, as in `cache=timedelta(days=1)` (of `datetime`), "
            "at least 1 second and at most 30 days",
        )
    ),
    "fallback": _or_none(
        Wanted(
            _of_type(Fallback),
            "write `Fallback(tool=...)` (of `workflows.definitions.fallback`)",
        )
    ),
    "need": _or_none(_enum(Need)),
    "call_type": _texts("skill", "code", "tool", "plan", "route"),
    "reads": _or_none(_texts("data", "means")),
    "unsafe_if": _or_none(
        Wanted(_condition, "write a plain function of the equipment and the arguments of a call")
    ),
    "question": _or_none(Wanted(_of_type(str), "write the name of an argument as text")),
    "is_retry_safe": _FLAG,
    "is_for_residents": _FLAG,
    "shows_skills": _FLAG,
    "finds_tools": _FLAG,
    "finds_skills": _FLAG,
    "shows_notes": _FLAG,
}
