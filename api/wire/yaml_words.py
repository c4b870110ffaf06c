"""What is wrong with a text that is no YAML, in our words: those of its parser tell of tokens."""

from collections.abc import Mapping
from typing import Final

_TABS: Final = "a tab cannot indent a line: use spaces"
_QUOTES: Final = "put a text that holds it in quotes"
_UNCLOSED: Final = "something that was opened is not closed"
_UNREADABLE: Final = "this cannot be read: check the quotes, brackets and indentation around it"

# By what the parser says. Whatever else it says is `_UNREADABLE`.
_WORDS: Final[Mapping[str, str]] = {
    "found a tab character that violates indentation": _TABS,
    "found a tab character where an indentation space is expected": _TABS,
    "but found another document": (
        "a second document begins here, after ---: one alone is taken, so send each by itself"
    ),
    "mapping values are not allowed in this context": (
        'a ": " stands where none can be: put a text that holds it in quotes, and see that "-" and '
        '":" in the lines before have a space behind them'
    ),
    "block sequence entries are not allowed in this context": (
        'a list cannot begin here: put each "- " on a line of its own'
    ),
    "did not find expected key": (
        "this line is not indented as those that it belongs to, or a text before it is not closed"
    ),
    "did not find expected '-' indicator": (
        'this line belongs to no item of the list before it: begin it with "- ", or indent it more'
    ),
    "did not find expected node content": (
        "a value is missing here, or begins with a sign that must be in quotes"
    ),
    "did not find expected alphabetic or numeric character": (
        "a text cannot begin with * or &, which have a meaning in YAML: put it in quotes"
    ),
    "could not find expected ':'": 'a name must be followed by ": " and its value',
    "found unknown escape character": (
        'in "double quotes" a backslash needs another before it: write \\\\, or use single quotes'
    ),
    "did not find expected comment or line break": (
        "after | or > the text begins on the next line, indented"
    ),
    "did not find expected <document start>": (
        "a line that begins with % must be followed by ---: leave both out"
    ),
    "control characters are not allowed": "a control character is not taken: remove it",
    "invalid leading UTF-8 octet": "it is not UTF-8",
    "invalid trailing UTF-8 octet": "it is not UTF-8",
    "invalid length of a UTF-8 sequence": "it is not UTF-8",
    "incomplete UTF-8 octet sequence": "it is not UTF-8",
}
_BRACKETS: Final[Mapping[str, str]] = {
    "did not find expected ',' or ']'": "a list in [...]",
    "did not find expected ',' or '}'": "an object in {...}",
}


def yaml_words(said: str, text: str, line: int, column: int, begun: int | None = None) -> str:
    """``said`` of the place in ``text``, in our words; ``line`` and ``column`` count from 1.
    ``begun`` is the line in which began what could not be read."""
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    since = "" if begun is None or begun == line else f"; it begins in line {begun}"
    if kind := _BRACKETS.get(said):
        return f"{_in_brackets(kind, here, column)}{since}"
    if said == "found unexpected end of stream":
        return f"a text in quotes is not closed{since}"
    if said == "found character that cannot start any token":
        sign = here[column - 1 : column]
        return _TABS if sign == "\t" else f"a text cannot begin with {sign}: put it in quotes"
    return _WORDS.get(said, _UNREADABLE)


def _in_brackets(kind: str, line: str, column: int) -> str:
    before = line[:column]
    if "${" in before:
        return f'in {kind} a reference must be in quotes: "${{inputs.NAME}}"'
    if "'" in before and before.count("'") % 2 == 0:
        return f'in {kind} a text that holds a quote must be in the other kind of quotes: "it\'s"'
    return f"in {kind} a comma or the closing bracket is missing, or a text needs quotes"
