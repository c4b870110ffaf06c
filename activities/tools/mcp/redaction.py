"""Taking secrets out of what a server says, however it has written them."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html.entities import codepoint2name
from itertools import groupby

from pydantic import JsonValue, SecretStr

from activities.tools.mcp.limits import MAX_DESCRIPTION_CHARACTERS
from activities.tools.mcp.listing import Listing

# Shorter ones are in many a word, which would give them away.
_LEAST_CHARACTERS = 6
# Of base64: what is left of a short secret, once its ends are cut off, may be anything.
_LEAST_BASE64_CHARACTERS = 7

# Bounded: a server can send a million of each. Eight backslashes are JSON in JSON in JSON.
_ESCAPES = r"(?i:\\|%(?:25){0,4}5c){0,8}"
_PERCENT = "%(?:25){0,4}"
_AMPERSAND = "&(?:amp;){0,4}"
_LETTERS = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}  # after a backslash


class Redactor:
    """Puts its name in the place of each of ``secrets``, those that a server was given.

    A secret is found as it is and in what is usual to make of it: JSON (also within JSON), percent
    encoding, HTML, hexadecimal digits, and base64 wherever it begins, such as in the header of
    Basic authentication. Libraries differ in which characters they write otherwise, so each may
    be written in any of these ways, except letters and digits, which none does.
    """

    def __init__(self, secrets: Mapping[str, SecretStr]) -> None:
        forms = {
            form: f"secret:{name}"
            for name, secret in secrets.items()
            if len(value := secret.get_secret_value()) >= _LEAST_CHARACTERS
            for form in _forms_of(value)
        }
        # A form may be a part of another.
        ordered = sorted(forms.items(), key=lambda item: len(item[0]), reverse=True)
        self._forms = [_Form.of(text, name) for text, name in ordered]

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = form.named_in(text)
        return text

    def listing(self, listing: Listing) -> Listing:
        """The tools that a server offers, as they may be kept and shown."""
        tools = (
            replace(
                tool,
                # Redacted first: half of a secret would not be recognised.
                description=_shortened(self(tool.description)),
                schema=self.document(tool.schema),
            )
            for tool in listing.tools
        )
        return Listing(tuple(tools), tuple(map(self, listing.refused)))

    def document(self, document: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """A JSON object, not nested deeply, with all its texts redacted."""
        return {self(key): self._value(value) for key, value in document.items()}

    def _value(self, value: JsonValue) -> JsonValue:
        match value:
            case str():
                return self(value)
            case list():
                return [self._value(item) for item in value]
            case dict():
                return self.document(value)
            case _:
                return value


def _shortened(description: str) -> str:
    if len(description) <= MAX_DESCRIPTION_CHARACTERS:
        return description
    return description[: MAX_DESCRIPTION_CHARACTERS - 3] + "..."


@dataclass(frozen=True, slots=True)
class _Form:
    """``plain`` is the longest part of it that is always written as it is."""

    name: str
    plain: str
    expression: re.Pattern[str]

    @classmethod
    def of(cls, text: str, name: str) -> "_Form":
        plain = max(re.findall(r"[A-Za-z0-9]*", text), key=len)
        return cls(name, plain, re.compile("".join(_expressions(text))))

    def named_in(self, text: str) -> str:
        # Looked for first: an expression takes a hundred times as long.
        return self.expression.sub(self.name, text) if self.plain in text else text


def _expressions(text: str) -> Iterator[str]:
    for character, run in groupby(text):
        count = len(list(run))
        if character == "\\":
            # Each may have become several, and what follows them may have some of its own.
            yield rf"(?:{_written(character)}){{{count},{8 * count}}}"
        elif character.isascii() and character.isalnum():
            yield character * count
        else:
            yield rf"{_ESCAPES}(?:{_written(character)})" * count


def _written(character: str) -> str:
    """In which ways a character may be written, after backslashes."""
    plain = [re.escape(character)]
    plain += ["[+]"] if character == " " else []
    plain += [_LETTERS[character]] if character in _LETTERS else []
    units = character.encode("utf-16-be", "surrogatepass")
    data = character.encode("utf-8", "surrogatepass")
    json = _ESCAPES.join(f"u{pair.hex()}" for pair in (units[:2], units[2:]) if pair)
    percent = "".join(f"{_PERCENT}{byte:02x}" for byte in data)
    return "|".join([*plain, f"(?i:{json})", f"(?i:{percent})", _written_in_html(ord(character))])


def _written_in_html(code: int) -> str:
    names = [codepoint2name[code]] if code in codepoint2name else []
    names += ["apos"] if code == ord("'") else []
    return (
        f"{_AMPERSAND}(?:{'|'.join([f'#0{{0,8}}{code}', f'#[xX]0{{0,8}}(?i:{code:x})', *names])});"
    )


def _forms_of(secret: str) -> set[str]:
    data = secret.encode("utf-8", "surrogatepass")
    return {secret, data.hex(), data.hex().upper(), *_base64_forms(data)}


def _base64_forms(data: bytes) -> Iterator[str]:
    """The characters that are the same whatever comes before and after, for each of the three
    places that the first byte may have in a group."""
    for before in range(3):
        padded = bytes(before) + data
        first = -(-before * 8 // 6)  # the first character that has no bit of what is before
        written = base64.b64encode(padded).decode()[first : len(padded) * 8 // 6]
        if len(written) >= _LEAST_BASE64_CHARACTERS:
            yield from (written, written.translate(str.maketrans("+/", "-_")))
