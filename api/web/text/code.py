"""Source in colours: a few classes for what matters to a reader, and no style."""

import time
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from html import escape
from itertools import groupby

from markupsafe import Markup
from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import (
    Comment,
    Generic,
    Keyword,
    Literal,
    Name,
    Number,
    String,
    _TokenType,
)

from api.web.text.visible import plain, visible

MAX_CHARACTERS = 128 * 1024
MAX_SECONDS = 0.3  # For the colours; what comes later is shown without.

# The first that holds the token gives the class.
_CLASSES = (
    (Comment, "comment"),
    (Keyword.Constant, "constant"),
    (Keyword, "keyword"),
    (String, "string"),
    (Number, "number"),
    (Literal, "string"),
    (Name.Tag, "keyword"),
    (Name.Attribute, "name"),
    (Name.Function, "name"),
    (Name.Class, "name"),
    (Name.Decorator, "name"),
    (Name.Builtin, "builtin"),
    (Name.Exception, "builtin"),
    (Generic.Deleted, "deleted"),
    (Generic.Inserted, "inserted"),
    (Generic.Heading, "keyword"),
    (Generic.Subheading, "keyword"),
)
# Others may take a second for a line that is written to that end, and nobody can stop them.
_LANGUAGES = frozenset(
    {
        *("bash", "c", "cpp", "csharp", "css", "diff", "docker", "go", "html", "java"),
        *("javascript", "json", "jsx", "kotlin", "lua", "php", "python", "r", "ruby"),
        *("rust", "scss", "sql", "toml", "typescript", "xml", "yaml"),
    }
)


def highlight(
    source: str, language: str = "", *, name: str = "", seconds: float = MAX_SECONDS
) -> Markup:
    """The source by the name of its language or file; as it is where nobody knows either."""
    text = visible(source)
    lexer = _lexer(language, name) if seconds > 0 else None
    if lexer is None or len(text) > MAX_CHARACTERS:
        return plain(text)
    # Everything in it was escaped, and the tags are ours.
    return Markup("".join(_spans(text, lexer, min(seconds, MAX_SECONDS))))  # noqa: S704


def _spans(text: str, lexer: Lexer, seconds: float) -> Iterator[str]:
    pieces = _until(time.monotonic() + seconds, text, lexer)
    for kind, run in groupby(pieces, key=lambda piece: piece[0]):
        value = escape("".join(part for _, part in run))
        yield f'<span class="code-{kind}">{value}</span>' if kind else value


def _until(deadline: float, text: str, lexer: Lexer) -> Iterator[tuple[str | None, str]]:
    end, space = 0, ""
    last: str | None = None
    for start, kind, value in lexer.get_tokens_unprocessed(text):
        if start != end or time.monotonic() > deadline:  # A lexer that leaves something out errs.
            break
        end = start + len(value)
        if not value.strip():
            space += value
            continue
        found = _class(kind)
        # Space between words of one kind goes with them, so that a long text is one span.
        yield found if found == last else None, space
        yield found, value
        last, space = found, ""
    yield None, space + text[end:]


def _class(kind: _TokenType) -> str | None:
    return next((name for holder, name in _CLASSES if _holds(holder, kind)), None)


def _holds(holder: _TokenType, kind: _TokenType) -> bool:
    return kind[: len(holder)] == holder


def _lexer(language: str, name: str) -> Lexer | None:
    known = _known()
    if language:
        return get_lexer_by_name(language) if language in known else None
    patterns = ((alias, pattern) for alias, found in known.items() for pattern in found)
    fitting = (alias for alias, pattern in patterns if fnmatchcase(name, pattern))
    alias = next(fitting, None)
    return get_lexer_by_name(alias) if alias else None


@cache
def _known() -> Mapping[str, Sequence[str]]:
    """Names of files by language. Asked for a name that it does not know, Pygments looks through
    all that is installed."""
    return {
        alias: patterns
        for _, aliases, patterns, _ in get_all_lexers(plugins=False)
        if _LANGUAGES.intersection(aliases)
        for alias in aliases
    }
