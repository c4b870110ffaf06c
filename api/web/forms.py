"""The fields that a form has sent."""

import re

from pydantic import JsonValue
from starlette.datastructures import FormData

from api.http.idempotency import checked_key

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")


def text_of(form: FormData, name: str) -> str:
    """A field of text, empty if there is none; browsers end lines as mail does."""
    value = form.get(name, "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def texts_of(form: FormData, name: str) -> list[str]:
    """What was chosen of several."""
    return [value for value in form.getlist(name) if isinstance(value, str) and value]


def key_of(form: FormData) -> str | None:
    """The key that a page gave its form, so that it counts once. Raises ``InvalidRequest``."""
    return checked_key(text_of(form, "key"))


def number_in(text: str) -> JsonValue:
    """The number that was typed; what is none stays text, of which the API says what is wrong."""
    found = _NUMBER.fullmatch(text.strip())
    return text if found is None else float(text) if found[1] else int(text)


def own_path(text: str) -> str:
    r"""A path of our own; ``//host`` and ``/\host`` would lead elsewhere."""
    is_own = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if is_own and text.isprintable() else "/"
