"""What is wrong with a text that is no JSON, in our words."""

from collections.abc import Mapping
from typing import Final

EMPTY: Final = "there is nothing in it"
NOT_UTF8: Final = "it is not UTF-8"

_UNREADABLE: Final = "this cannot be read: check the quotes, brackets and commas around it"
_VALUE: Final = (
    "a value must begin here: an object in {...}, a list in [...], a text in double quotes, a "
    "number, true, false or null"
)
_ESCAPE: Final = "\\u must be followed by four hexadecimal digits, and half of a pair by the other"

# By what the parser's words begin with. Whatever else it says is `_UNREADABLE`.
_WORDS: Final[Mapping[str, str]] = {
    "EOF while parsing a string": "a text is not closed: a double quote is missing",
    "EOF while parsing": "it ends too early: a bracket or brace is not closed, or a value missing",
    "trailing comma": "this comma is one too many: none goes before a closing bracket",
    "key must be a string": 'a name must be in double quotes: "name"',
    "trailing characters": (
        "something follows after the end of the value: send one value alone, without comments"
    ),
    "expected value": _VALUE,
    "expected ident": _VALUE,
    "expected `:`": 'a colon is missing after the name: "name": value',
    "expected `,` or `}`": "a comma, or the closing }, is missing before this",
    "expected `,` or `]`": "a comma, or the closing ], is missing before this",
    'expected `"`': "a text must begin here, with a double quote",
    "invalid unicode code point": NOT_UTF8,
    "control character": "a line break, tab or other control character in a text is written as \\n",
    "invalid escape": "a backslash in a text is written twice: \\\\",
    "invalid number": "this is no number of JSON: none has + or 0 before it, or ends with a point",
    "number out of range": "this number is too large",
    "unexpected end of hex escape": _ESCAPE,
    "lone leading surrogate": _ESCAPE,
    "recursion limit exceeded": "it is nested too deeply",
}


def json_words(said: str) -> str:
    """What the parser said, in our words."""
    return next((words for start, words in _WORDS.items() if said.startswith(start)), _UNREADABLE)
