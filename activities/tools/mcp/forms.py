"""The fields of a form that a server wants filled in: described to a person, and read from their
answer. The protocol has texts, numbers, yes or no, and choices of one or several."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlsplit

from pydantic import JsonValue

_YES = frozenset({"yes", "y", "true", "1"})
_NO = frozenset({"no", "n", "false", "0"})
_MAX_NUMBER_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``part`` is its schema."""

    name: str
    part: Mapping[str, JsonValue]
    is_required: bool

    @property
    def shown(self) -> str:
        """A line that says what to write."""
        notes = [self._kind, *self._bounds()]
        if self.default is not None:
            notes.append(f"default {_words(self.default)}")
        elif not self.is_required:
            notes.append("optional")
        says = self.part.get("description") or self.part.get("title")
        return f"- {self.name} ({', '.join(notes)})" + (f": {says}" if says else "")

    @property
    def default(self) -> JsonValue:
        """None without one that fits."""
        try:
            given = self.part.get("default")
            return None if given is None else self.value(given)
        except ValueError:
            return None

    def value(self, given: JsonValue) -> JsonValue:
        """What a person wrote, as the form wants it. Raises ``ValueError`` with the reason."""
        text = given.strip() if isinstance(given, str) else json.dumps(given)
        match self.part.get("type", "string"):
            case "boolean":
                if text.lower() not in _YES | _NO:
                    raise ValueError(f"{self.name!r} is yes or no")
                return text.lower() in _YES
            case "integer" | "number" as kind:
                return self._within(_number(self.name, text, is_whole=kind == "integer"))
            case "array":
                chosen = given if isinstance(given, list) else filter(None, text.split(","))
                values: list[JsonValue] = [self._choice(_words(item).strip()) for item in chosen]
                self._check_length(len(values), "minItems", "maxItems", "values")
                return values
        words = self._choice(given if isinstance(given, str) else text)
        if not self.choices:
            self._check_length(len(words), "minLength", "maxLength", "characters")
            self._check_format(words)
        return words

    @property
    def _kind(self) -> str:
        is_several = self.part.get("type") == "array"
        if self.choices:
            listed = (
                value if title == value else f"{value} = {title}"
                for value, title in self.choices.items()
            )
            return f"{'any' if is_several else 'one'} of {', '.join(listed)}"
        kind = "list" if is_several else str(self.part.get("type", "string"))
        form = self.part.get("format")
        return form if kind == "string" and isinstance(form, str) and form in _FORMATS else kind

    def _bounds(self) -> list[str]:
        bounds = []
        for least, most, unit in (
            ("minimum", "maximum", ""),
            ("minLength", "maxLength", " characters"),
            ("minItems", "maxItems", " values"),
        ):
            low, high = _limit(self.part, least), _limit(self.part, most)
            bounds += [f"at least {low}{unit}"] if low else []
            bounds += [f"at most {high}{unit}"] if high is not None else []
        return bounds

    @property
    def choices(self) -> dict[str, str]:
        """What may be chosen, with how it is called."""
        items = self.part.get("items")
        within = items if isinstance(items, dict) else self.part
        listed, names = within.get("enum"), within.get("enumNames")
        if isinstance(listed, list):
            named = names if isinstance(names, list) and len(names) == len(listed) else listed
            return {_words(value): _words(name) for value, name in zip(listed, named, strict=True)}
        options = within.get("oneOf") or within.get("anyOf")
        return {
            _words(item["const"]): _words(item.get("title") or item["const"])
            for item in (options if isinstance(options, list) else [])
            if isinstance(item, dict) and "const" in item
        }

    def _choice(self, words: str) -> str:
        """By its value, or by its name if only one has that."""
        choices = self.choices
        if not choices or words in choices:
            return words
        meant = [
            value
            for value, title in choices.items()
            if words.strip().casefold() in (value.casefold(), title.casefold())
        ]
        if len(meant) != 1:
            raise ValueError(f"{self.name!r} has no {words!r}; there is {', '.join(choices)}")
        return meant[0]

    def _within(self, number: float) -> float:
        low, high = _limit(self.part, "minimum"), _limit(self.part, "maximum")
        if low is not None and number < low:
            raise ValueError(f"{self.name!r} is at least {low}")
        if high is not None and number > high:
            raise ValueError(f"{self.name!r} is at most {high}")
        return number

    def _check_length(self, length: int, least: str, most: str, unit: str) -> None:
        low, high = _limit(self.part, least), _limit(self.part, most)
        if low is not None and length < low:
            raise ValueError(f"{self.name!r} has at least {low} {unit}")
        if high is not None and length > high:
            raise ValueError(f"{self.name!r} has at most {high} {unit}")

    def _check_format(self, words: str) -> None:
        form = self.part.get("format")
        if isinstance(form, str) and (check := _FORMATS.get(form)) is not None:
            try:
                is_so = check(words.strip())
            except ValueError:
                is_so = False
            if not is_so:
                raise ValueError(f"{self.name!r} is {_EXAMPLES[form]}")


_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "email": lambda text: all(text.partition("@")) and " " not in text,
    "uri": lambda text: bool(urlsplit(text).scheme) and " " not in text,
    "date": lambda text: bool(date.fromisoformat(text)),
    "date-time": lambda text: "T" in text.upper() and bool(datetime.fromisoformat(text)),
}
_EXAMPLES: Mapping[str, str] = {
    "email": "an address such as ann@a.example",
    "uri": "an address such as https://a.example",
    "date": "a date such as 2026-11-29",
    "date-time": "a date and time such as 2026-11-29T12:00:00Z",
}


def _limit(part: Mapping[str, JsonValue], name: str) -> float | None:
    value = part.get(name)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _number(name: str, text: str, *, is_whole: bool) -> float:
    value: float = math.nan
    if len(text) <= _MAX_NUMBER_CHARACTERS and "_" not in text:
        for kind in (int,) if is_whole else (int, float):
            try:
                value = kind(text)
                break
            except ValueError:
                continue
    if not math.isfinite(value):
        raise ValueError(f"{name!r} is a {'whole ' if is_whole else ''}number")
    return value


def _words(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(_words(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
