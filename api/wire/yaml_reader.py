"""YAML from strangers, by the rules of YAML 1.2, as JSON values and nothing else.

``on``, ``no``, ``2024-01-31`` and ``1:30`` are text. Refused are a key that appears twice, tags for
anything but JSON's types, and what grows when it is read: aliases and deep nesting.
"""

import re
from typing import NoReturn

import yaml
from pydantic import JsonValue

from api.wire.errors import BodyMalformed
from api.wire.growth import TOO_DEEP, Growth
from api.wire.json_words import EMPTY
from api.wire.written import WrittenFloat, WrittenInt
from api.wire.yaml_words import yaml_words

# The line breaks are those of YAML 1.1, which the parser reads.
_TAG_DIRECTIVE = re.compile("(?:^\ufeff?|[\r\n\x85\u2028\u2029])%TAG")
_MAX_DIRECTIVES = 10
ONLY_COMMENTS = "there is nothing in it but comments"
_NO_ALIASES = (
    "aliases (*name) are not taken: write the value again, or put a text that begins with * in "
    "quotes"
)


def parse_yaml(text: str) -> JsonValue:
    """The value of a YAML document. JSON is YAML as well.

    Raises:
        BodyMalformed: with line and column.
        TooManyValues
    """
    try:
        _check_growth(text)
        value: JsonValue = yaml.load(text, Loader=_Loader)  # noqa: S506  (it makes JSON only)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        reason = yaml_words(error.reason, text, line, column)
        raise BodyMalformed(form="YAML", reason=reason, line=line, column=column) from error
    except yaml.MarkedYAMLError as error:
        raise _unread(error, text) from error
    return value


def _check_growth(text: str) -> None:
    # The parser compares each with all before it, which it may do for a minute.
    if sum(1 for _ in _TAG_DIRECTIVE.finditer(text)) > _MAX_DIRECTIVES:
        raise BodyMalformed(
            form="YAML", reason="there are too many %TAG directives", line=1, column=1
        )
    growth = Growth()
    is_empty = True
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        is_empty = is_empty and not isinstance(event, yaml.DocumentStartEvent)
        match event:
            case yaml.AliasEvent():
                raise _malformed(event.start_mark, _NO_ALIASES)
            case yaml.CollectionEndEvent():
                growth.leave()
            case yaml.CollectionStartEvent():
                growth.add()
                if not growth.enter():
                    raise _malformed(event.start_mark, TOO_DEEP)
            case yaml.ScalarEvent() | yaml.DocumentStartEvent():
                growth.add()
    if is_empty:
        reason = ONLY_COMMENTS if text.strip() else EMPTY
        raise BodyMalformed(form="YAML", reason=reason, line=1, column=1)


class _Loader(yaml.CSafeLoader):
    yaml_constructors = {}  # noqa: RUF012  (as its base class has it)
    yaml_implicit_resolvers = {}  # noqa: RUF012

    def to_object(self, node: yaml.Node) -> dict[str, JsonValue]:
        if not isinstance(node, yaml.MappingNode):
            return self.refuse(node)
        made: dict[str, JsonValue] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _malformed(key.start_mark, "a key must be text")
            if key.value in made:
                raise _malformed(key.start_mark, f"the key {key.value[:100]!r} appears twice")
            made[key.value] = self.construct_object(value, deep=True)
        return made

    def to_array(self, node: yaml.Node) -> list[JsonValue]:
        if not isinstance(node, yaml.SequenceNode):
            return self.refuse(node)
        return [self.construct_object(item, deep=True) for item in node.value]

    def to_scalar(self, node: yaml.Node) -> JsonValue:
        if not isinstance(node, yaml.ScalarNode):
            return self.refuse(node)
        text, kind = node.value, node.tag.removeprefix(_TAG)
        try:
            match kind:
                case "null":
                    return None
                case "bool":
                    return _BOOLEANS[text.lower()]
                case "int":
                    number = int(text, 0)
                    return number if str(number) == text else WrittenInt(text)
                case "float":
                    return float(text) if repr(float(text)) == text else WrittenFloat(text)
                case _:
                    return str(text)
        except (ValueError, KeyError) as error:
            reason = f"{text[:100]!r} does not fit its tag !!{kind}"
            raise _malformed(node.start_mark, reason) from error

    def refuse(self, node: yaml.Node) -> NoReturn:
        tag = node.tag.replace(_TAG, "!!")[:100]
        reason = f"the tag {tag} is not taken: put a text that begins with ! in quotes"
        raise _malformed(node.start_mark, reason)


def _unread(error: yaml.MarkedYAMLError, text: str) -> BodyMalformed:
    mark, begun = error.problem_mark or error.context_mark, error.context_mark
    line, column = getattr(mark, "line", 0) + 1, getattr(mark, "column", 0) + 1
    said = error.problem or error.context or ""
    reason = yaml_words(said, text, line, column, begun.line + 1 if begun else None)
    return BodyMalformed(form="YAML", reason=reason, line=line, column=column)


def _malformed(mark: object, reason: str) -> BodyMalformed:
    line, column = getattr(mark, "line", 0) + 1, getattr(mark, "column", 0) + 1
    return BodyMalformed(form="YAML", reason=reason, line=line, column=column)


_TAG = "tag:yaml.org,2002:"
_BOOLEANS = {"true": True, "false": False}

# What a plain scalar must look like to be no text, and the characters it can begin with. A number
# like 007 or 1_000, of which nobody knows what it means, stays text.
_PLAIN = {
    "int": (r"[-+]?(?:0|[1-9][0-9]{0,18})|0o[0-7]{1,21}|0x[0-9a-fA-F]{1,16}", [*"-+0123456789"]),
    "float": (
        r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?",
        [*"-+.0123456789"],
    ),
    "bool": ("true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    "null": ("~|null|Null|NULL|", ["~", "n", "N", ""]),
}

for _name, (_pattern, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), _first)
for _name in (*_PLAIN, "str"):
    _Loader.add_constructor(_TAG + _name, _Loader.to_scalar)
_Loader.add_constructor(f"{_TAG}map", _Loader.to_object)
_Loader.add_constructor(f"{_TAG}seq", _Loader.to_array)
_Loader.add_constructor(None, _Loader.refuse)
