"""Constants that look like parameters: numbers, dates, delimiters, addresses, and words that the
person who gave the task has said."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from api.tasks.compilation.said import Said
from api.tasks.compilation.words import Words
from workflows.definitions.pipeline import MAX_PARAMETERS

Value = str | int | float | bool

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?%?")
_DATE = re.compile(
    r"\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2})?Z?)?)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}"
)
_DELIMITER = re.compile(r"[,;|:\t]|\\t|tab|comma|semicolon|pipe", re.IGNORECASE)
_URL = re.compile(r"(https?|s3)://\S+", re.IGNORECASE)
_NAMES = (("number", _NUMBER), ("date", _DATE), ("delimiter", _DELIMITER), ("url", _URL))
_NAME_CHARACTERS = 63
_BASE_CHARACTERS = 50  # What tells it apart needs some, too.


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant, and where: a pointer. ``parameter`` is its name in the pipeline; None where a
    reference cannot stand, as within code."""

    pointer: str
    value: Value
    parameter: str | None


@dataclass
class Constants:
    """Collects them for one pipeline; ``accepted`` are pointers of what a person took for one."""

    accepted: frozenset[str]
    found: list[Constant] = field(default_factory=list)

    @property
    def parameters(self) -> Mapping[str, Value]:
        return {item.parameter: item.value for item in self.found if item.parameter}

    def name(self, said: Said, words: Words, step: str) -> str | None:
        """The parameter that a text becomes; None when it stays where it is."""
        if said.kind == "text":
            return None
        kind = next((name for name, look in _NAMES if look.fullmatch(said.text)), None)
        is_chosen = said.key is not None and (words.has(said.text) or said.pointer in self.accepted)
        if (kind is None and not is_chosen) or said.text.endswith("$"):
            return None
        if len(self.parameters) >= MAX_PARAMETERS:
            return None
        if said.kind == "code":
            if len(said.text) > 1 and words.has(said.text):
                self.found.append(Constant(said.pointer, said.text, None))
            return None
        name = self._free(said.key or kind or "value", step)
        self.found.append(
            Constant(said.pointer, said.text if said.plain is None else said.plain, name)
        )
        return name

    def _free(self, wanted: str, step: str) -> str:
        base = re.sub(r"[^A-Za-z0-9_-]+", "-", wanted).strip("-")[:_BASE_CHARACTERS]
        base = base if re.match(r"[A-Za-z_]", base) else f"value-{base}".strip("-")
        names = (base, f"{step}-{base}", *(f"{base}-{n}" for n in range(2, 10_000)))
        taken = self.parameters
        return next(name for name in names if name not in taken and len(name) <= _NAME_CHARACTERS)
