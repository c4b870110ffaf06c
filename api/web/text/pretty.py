"""What a tool takes or gives, to be read: JSON by lines, and else what a terminal would show."""

import json

from markupsafe import Markup

from api.web.text.ansi import ansi
from api.web.text.code import highlight

MAX_CHARACTERS = 64 * 1024


def pretty(text: str) -> Markup:
    """The text, for an element that keeps white space."""
    parsed = parsed_json(text)
    if isinstance(parsed, dict | list):
        return highlight(written_json(parsed), "json")
    return ansi(text)


def written_json(document: object) -> str:
    """A document as people read it."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def parsed_json(text: str) -> object:
    """The object or list that a text of a sane length is; None for any other text."""
    if len(text) > MAX_CHARACTERS or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
