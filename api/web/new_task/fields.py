"""The fields of the form. Each has the name of its place in the request: ``agent.limits.turns``.

So what is wrong at ``/agent/limits/turns`` is told beside that field.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import JsonValue

from api.errors import InvalidRequest
from api.web.forms import number_in
from api.wire.errors import BodyMalformed, TooManyValues
from api.wire.yaml_reader import parse_yaml
from workflows.pointers import Problem, escaped

TYPES = ("pipeline", "agent", "plan", "auto")
_OWN_FILE = re.compile(r"(?:https?://[^/?#]+)?/api/v1/(file|artifact)s/([0-9a-fA-F-]{36})/?")


@dataclass(frozen=True, slots=True)
class InputRow:
    """An input: its name and its reference, as they were typed."""

    name: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """What stands in the form. ``key`` makes one task of however many times it is sent."""

    type: str
    key: str
    texts: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: tuple[InputRow, ...] = ()

    def text(self, name: str) -> str:
        return self.texts.get(name, "")

    def given(self, name: str) -> str:
        """The reference of an input."""
        return next((row.ref for row in self.inputs if row.name == name), "")


def _word(text: str) -> JsonValue:
    return text.strip()


def _whole(text: str) -> JsonValue:
    return text


def _flag(text: str) -> JsonValue:
    return True


def _negated(text: str) -> JsonValue:
    return False


def _callbacks(text: str) -> JsonValue:
    return [{"url": line.strip()} for line in text.splitlines() if line.strip()]


def _json(text: str) -> JsonValue:
    """JSON, or YAML, which is easier to write."""
    return parse_yaml(text)


Reader = Callable[[str], JsonValue]

_COMMON: Mapping[str, Reader] = {"priority": number_in, "cache": _negated, "callbacks": _callbacks}
_LIMITS = ("turns", "tokens", "cost_usd", "seconds")
# Those that are there for one type only. What is left empty is left to the server.
READERS: Mapping[str, Mapping[str, Reader]] = MappingProxyType(
    {
        "pipeline": {"pipeline": _whole, **_COMMON},
        "agent": {
            "prompt": _whole,
            "agent.profile.name": _word,
            "agent.profile.role": _word,
            "agent.profile.goal": _word,
            "agent.profile.tone": _word,
            "agent.model": _word,
            "agent.output_schema": _json,
            **{f"agent.limits.{name}": number_in for name in _LIMITS},
            **_COMMON,
        },
        "plan": {
            "prompt": _whole,
            "plan.atomicity": _word,
            "plan.max_nodes": number_in,
            "plan.parallel": number_in,
            "plan.depth": number_in,
            "plan.replans": number_in,
            "plan.approve": _flag,
            "plan.agent.model": _word,
            "plan.output_schema": _json,
            **{f"plan.limits.{name}": number_in for name in _LIMITS},
            **_COMMON,
        },
        "auto": {"prompt": _whole, **_COMMON},
    }
)
# Of an agent: all that its team may use, unless some are chosen.
CHOICES = ("skills", "tools")
MORE = "more"


def document_of(filled: Filled) -> dict[str, JsonValue]:
    """The request that was filled in, right or wrong.

    Raises:
        InvalidRequest: a field that is to hold YAML or JSON holds none.
    """
    document: dict[str, JsonValue] = {"type": filled.type}
    problems: list[Problem] = []
    # What has no field of its own comes first: fields say more.
    if text := filled.text(MORE).strip():
        try:
            document[filled.type] = _json(text)
        except (BodyMalformed, TooManyValues) as error:
            problems.append(Problem(f"/{MORE}", str(error)))
    for name, read in READERS[filled.type].items():
        if not (text := filled.text(name)).strip():
            continue
        try:
            _put(document, name.split("."), read(text))
        except (BodyMalformed, TooManyValues) as error:
            problems.append(Problem(f"/{name.replace('.', '/')}", str(error)))
    if filled.type == "agent":
        for name in CHOICES:
            if name in filled.chosen:
                _put(document, ["agent", name], list(filled.chosen[name]))
    document["inputs"] = {row.name: own_reference(row.ref) for row in _used(filled)}
    if problems:
        raise InvalidRequest(problems)
    return document


def _used(filled: Filled) -> Iterator[InputRow]:
    """A row that was left empty is none; one without a name would be lost in silence."""
    for row in filled.inputs:
        if row.ref.strip():
            yield InputRow(row.name.strip(), row.ref.strip())


def _put(document: dict[str, JsonValue], path: Sequence[str], value: JsonValue) -> None:
    *above, last = path
    at = document
    for name in above:
        below = at.setdefault(name, {})
        if not isinstance(below, dict):
            return  # Somebody wrote another thing there, of which the API says what is wrong.
        at = below
    at[last] = value


def own_reference(text: str) -> str:
    """The address of a file or artifact, copied from a page, is a reference to it."""
    found = _OWN_FILE.fullmatch(text)
    return f"{found[1]}:{found[2]}" if found else text


def field_of(pointer: str, filled: Filled) -> str:
    """The name of the field beside which a problem is told; empty where there is none."""
    for index, row in enumerate(filled.inputs):
        if pointer == f"/inputs/{escaped(row.name)}":
            return f"inputs.{index}"
    names = (*READERS[filled.type], *(f"agent.{name}" for name in CHOICES), "inputs", MORE)
    at = pointer.removeprefix("/").replace("/", ".")
    within = (name for name in names if f"{at}.".startswith(f"{name}."))
    return max(within, key=len, default="")


def shown(value: JsonValue) -> str:
    """A value of a request as the text of its field."""
    if isinstance(value, str):
        return value
    return "true" if value is True else json.dumps(value, ensure_ascii=False)
