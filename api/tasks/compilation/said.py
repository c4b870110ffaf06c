"""The texts that a model wrote in a call: values, code and prose."""

import ast
import json
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from activities.tools.working_files import ReadArgument
from workflows.pointers import escaped

# A text of more than one line, or longer than this, is none that somebody chose from a list.
_VALUE_CHARACTERS = 80
_OPTION = re.compile(r"--?[A-Za-z][\w-]*")
# In JavaScript and whatever cannot be parsed.
_QUOTED = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'|`([^`]*)`")
_HERE_DOCUMENT = re.compile(r"<<-?\s*(['\"]?)(\w+)\1[^\n]*\n(?P<text>.*?)\n\s*\2\b", re.DOTALL)
_MAX_HERE_DOCUMENTS = 100
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
# With no more digits than every reader of JSON keeps.
_PLAIN_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?")
_MEMBER = re.compile(r"\.([A-Za-z_]\w*)\b(?!\s*\()")
# A word that follows a dot, and is mostly no column of a table.
_MEMBERS = """
    args argv at columns dt dtype dtypes env environ exports iat iloc index length loc name names
    path shape size stderr stdin stdout str T value values
"""
_COMMON_MEMBERS = frozenset(_MEMBERS.split())

Kind = Literal["value", "text", "code"]


@dataclass(frozen=True, slots=True)
class Said:
    """A text, and where it is: a pointer. ``key`` is what it is called there: the option before it,
    or the name of the argument. ``plain`` is the number that the text is, where it may be one."""

    pointer: str
    text: str
    kind: Kind = "value"
    key: str | None = None
    plain: int | float | None = None


def said_in_arguments(read: Iterable[ReadArgument], at: str) -> Iterator[Said]:
    """What stands in a command line beside options and names of files."""
    option: str | None = None
    for index, arg in enumerate(read):
        pointer, text, key = f"{at}/{index}", arg.before, option
        option = None
        if arg.names_output:
            continue
        if found := _OPTION.match(text):
            rest = text[found.end() :]
            if not rest and arg.file is None:
                option = text
            if not rest.startswith("="):
                continue
            key, text = found.group(), rest[1:]
        if arg.file is not None:
            text = text.removesuffix("=")
        if text:
            yield Said(pointer, text, _kind(text), key, _number(text))


def said_in_values(value: JsonValue, at: str, key: str | None = None) -> Iterator[Said]:
    """The leaves of an argument that is JSON; the names of its fields are the tool's own."""
    match value:
        case dict():
            for name, item in value.items():
                yield from said_in_values(item, f"{at}/{escaped(name)}", name)
        case list():
            for index, item in enumerate(value):
                yield from said_in_values(item, f"{at}/{index}", key)
        case str():
            yield Said(at, value, _kind(value), key)
        case int() | float() if not isinstance(value, bool):
            yield Said(at, str(value), "value", key, plain=value)


def said_in_code(source: str, language: str, at: str) -> Iterator[Said]:
    """The constants of code, and what it takes for names of fields; of a shell script, all. A long
    text in it is one that the model could have written to a file."""
    if language == "shell":
        yield from _in_shell(source, at)
        return
    try:
        found = list(_in_python(_tree(source)) if language == "python" else _in_any(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # Of a newer Python, perhaps.
        found = list(_in_any(source))
    for text in dict.fromkeys(found):
        if text.strip():
            yield Said(at, text, "text" if _kind(text) == "text" else "code")


def _number(text: str) -> int | float | None:
    """A number that is written in just this way, as text on a command line is."""
    if not _PLAIN_NUMBER.fullmatch(text):
        return None
    try:
        value: int | float = json.loads(text)
    except ValueError:
        return None
    return value if json.dumps(value) == text else None


def _kind(text: str) -> Kind:
    return "text" if "\n" in text or len(text) > _VALUE_CHARACTERS else "value"


def _in_shell(source: str, at: str) -> Iterator[Said]:
    # To look for the end of each takes long, if they have none.
    if source.count("<<") > _MAX_HERE_DOCUMENTS:
        yield Said(at, source, "text")
        return
    for found in _HERE_DOCUMENT.finditer(source):
        yield Said(at, found.group("text"), "text")
    words = _HERE_DOCUMENT.sub(" ", source).split()
    yield from (Said(at, word, "code") for word in dict.fromkeys(words))


def _tree(source: str) -> ast.AST:
    with warnings.catch_warnings():
        # Of escapes such as "\d", to whoever wrote the code.
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _in_python(tree: ast.AST) -> Iterator[str]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Constant(value=(int() | float()) as number) if not isinstance(number, bool):
                yield repr(number)
            case ast.Attribute(attr=name) if id(node) not in called:
                if name not in _COMMON_MEMBERS:
                    yield name


def _in_any(source: str) -> Iterator[str]:
    for found in _QUOTED.finditer(source):
        yield next(filter(None, found.groups()), "")
    outside = _QUOTED.sub('""', source)
    yield from _NUMBER.findall(outside)
    yield from (name for name in _MEMBER.findall(outside) if name not in _COMMON_MEMBERS)
