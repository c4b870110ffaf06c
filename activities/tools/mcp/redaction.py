"""Taking secrets out of what a server says, however it has written them."""

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, quote_plus

from pydantic import JsonValue, SecretStr

from activities.tools.mcp.listing import Listing

# Shorter ones are in many a word, which would give them away.
_LEAST_CHARACTERS = 6
# Of base64: what is left of a short secret, once its ends are cut off, may be anything.
_LEAST_BASE64_CHARACTERS = 7


class Redactor:
    """Puts its name in the place of each of ``secrets``, those that a server was given.

    A secret is found as it is and in what is usual to make of it: JSON (also within JSON), percent
    encoding, HTML, hexadecimal digits, and base64 wherever it begins, such as in the header of
    Basic authentication.
    """

    def __init__(self, secrets: Mapping[str, SecretStr]) -> None:
        forms = {
            form: f"secret:{name}"
            for name, secret in secrets.items()
            if len(value := secret.get_secret_value()) >= _LEAST_CHARACTERS
            for form in _forms_of(value)
        }
        # A form may be a part of another.
        self._forms = sorted(forms.items(), key=lambda item: len(item[0]), reverse=True)

    def __call__(self, text: str) -> str:
        # One search of each: an expression of all of them takes a hundred times as long.
        for form, name in self._forms:
            if form in text:
                text = text.replace(form, name)
        return text

    def listing(self, listing: Listing) -> Listing:
        """The tools that a server offers, as they may be kept and shown."""
        tools = (
            replace(tool, description=self(tool.description), schema=self.document(tool.schema))
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


def _forms_of(secret: str) -> set[str]:
    forms = {secret, html.escape(secret), *_json_forms(secret)}
    forms |= {form for text in tuple(forms) for form in _json_forms(text)}
    for quoted in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        forms |= {quoted, re.sub(r"%..", lambda match: match[0].lower(), quoted)}
    data = secret.encode("utf-8", "surrogatepass")
    forms |= {data.hex(), data.hex().upper(), *_base64_forms(data)}
    return forms


def _json_forms(text: str) -> Iterator[str]:
    for is_ascii in (True, False):
        written = json.dumps(text, ensure_ascii=is_ascii)[1:-1]
        upper = re.sub(r"(?<=\\u)[0-9a-f]{4}", lambda match: match[0].upper(), written)
        for form in (written, upper):
            yield from (form, form.replace("/", "\\/"))


def _base64_forms(data: bytes) -> Iterator[str]:
    """The characters that are the same whatever comes before and after, for each of the three
    places that the first byte may have in a group."""
    for before in range(3):
        padded = bytes(before) + data
        first = -(-before * 8 // 6)  # the first character that has no bit of what is before
        written = base64.b64encode(padded).decode()[first : len(padded) * 8 // 6]
        if len(written) >= _LEAST_BASE64_CHARACTERS:
            yield from (written, written.translate(str.maketrans("+/", "-_")))
