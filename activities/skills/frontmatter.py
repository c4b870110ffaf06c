"""The YAML head of a SKILL.md, read leniently: what can be read is read, and oddities are reported.

It is for running what others wrote; authors are told every oddity by ``agentos skills validate``.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

FRONTMATTER_MAX_BYTES = 32 * 1024

# PyYAML takes time with the square of the depth of brackets: 32 KiB of them, 3 s.
NESTING_MAX = 32

DELIMITER = "---"

Value = str | tuple[str, ...] | Mapping[str, str]

# What PyYAML raises on hostile text beside its own errors: `"\U99999999"` overflows, `%YAML 9.9..9`
# passes the limit on the digits of a number, and deep nesting passes the limit on recursion.
_UNREADABLE = (yaml.YAMLError, ValueError, OverflowError, RecursionError)
_NULLS = frozenset({"~", "null", "Null", "NULL"})
_ENTRY = re.compile(r"([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(.*))?$")


@dataclass(slots=True)
class Frontmatter:
    """The fields by name, the line (from 1) that each began on, and every deviation met."""

    fields: dict[str, Value] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def warn(self, problem: str, *, line: int | None = None) -> None:
        self.warnings.append(f"SKILL.md:{line}: {problem}" if line else f"SKILL.md: {problem}")


def parse_frontmatter(content: bytes) -> Frontmatter:
    """Read the fields of a SKILL.md, whatever its bytes. Never raises."""
    head = Frontmatter()
    first_line, block = _block(_decode(content, head), head)
    if not _read_whole(block, first_line, head):
        for line, entry in _entries(block, first_line, head):
            _read_entry(entry, line, head)
    return head


def _decode(content: bytes, head: Frontmatter) -> str:
    if len(content) > FRONTMATTER_MAX_BYTES:
        # Cut between lines, so that no character is cut in two.
        content = content[: content.rfind(b"\n", 0, FRONTMATTER_MAX_BYTES) + 1]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head.warn("is UTF-16; save it as UTF-8", line=1)
        return _with_newlines(content.decode("utf-16", "replace"))
    if content.startswith(b"\xef\xbb\xbf"):
        head.warn("starts with a byte order mark", line=1)
        content = content[3:]
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        head.warn("is not UTF-8; read as Windows-1252", line=line)
        text = content.decode("cp1252", "replace")
    return _with_newlines(text)


def _with_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _block(text: str, head: Frontmatter) -> tuple[int, list[str]]:
    """The lines between the delimiters, and the number of the first of them."""
    lines = text.split("\n")
    start = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if lines[start].rstrip() != DELIMITER:
        head.warn(f"does not begin with {DELIMITER}, so it has no frontmatter", line=start + 1)
        return 1, []
    if start:
        head.warn(f"has empty lines before the first {DELIMITER}", line=1)
    body = lines[start + 1 :]
    ends = (n for n, line in enumerate(body) if line.rstrip() == DELIMITER)
    end = next(ends, None)
    if end is None:
        head.warn(f"has no second {DELIMITER}; its head was read to the first empty line")
        end = next((n for n, line in enumerate(body) if not line.strip()), len(body))
    return start + 2, body[:end]


def _read_whole(block: list[str], first_line: int, head: Frontmatter) -> bool:
    """Read a block that is a YAML mapping, as it should be. False when it is not."""
    root = _compose("\n".join(block))
    if root is None:
        return False
    for key, node in root.value:
        line = first_line + key.start_mark.line
        if isinstance(key, yaml.ScalarNode):
            _keep(key.value, node, line, head)
        else:
            head.warn("a field whose name is not text was left out", line=line)
    return True


def _compose(text: str) -> yaml.MappingNode | None:
    if _depth(text) > NESTING_MAX:
        return None
    # Nodes, not objects: aliases are never expanded, tags never obeyed, and lines stay known.
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except _UNREADABLE:
        return None
    return root if isinstance(root, yaml.MappingNode) else None


def _depth(text: str) -> int:
    deepest = depth = 0
    for bracket in re.findall(r"[\[{\]}]", text):
        depth = depth + 1 if bracket in "[{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def _entries(
    block: list[str], first_line: int, head: Frontmatter
) -> Iterator[tuple[int, list[str]]]:
    """Split a block that YAML refused into its top-level entries."""
    entry: list[str] = []
    start = first_line
    for line, text in enumerate(block, first_line):
        if _ENTRY.match(text):
            if entry:
                yield start, entry
            entry, start = [text], line
        elif entry:
            entry.append(text)
        elif text.strip() and not text.lstrip().startswith("#"):
            head.warn("is not a field and was left out", line=line)
    if entry:
        yield start, entry


def _read_entry(entry: list[str], line: int, head: Frontmatter) -> None:
    root = _compose("\n".join(entry))
    match = _ENTRY.match(entry[0])
    if root is not None and len(root.value) == 1 and isinstance(root.value[0][0], yaml.ScalarNode):
        key, node = root.value[0]
        _keep(key.value, node, line, head)
    elif match:
        # The usual slip is `description: Use it when: ...`, where YAML wants quotes.
        text = " ".join(part.strip() for part in (match[2] or "", *entry[1:]) if part.strip())
        _set(match[1], _printable(text), line, head)
        head.warn(f"{match[1]} is not valid YAML and was read as plain text; quote it", line=line)


def _keep(name: str, node: yaml.Node, line: int, head: Frontmatter) -> None:
    name = _printable(name)
    if isinstance(node, yaml.ScalarNode):
        is_null = node.style is None and node.value in _NULLS
        _set(name, "" if is_null else _printable(node.value), line, head)
    elif isinstance(node, yaml.SequenceNode):
        items = [item.value for item in node.value if isinstance(item, yaml.ScalarNode)]
        _set(name, tuple(_printable(item) for item in items), line, head)
        if len(items) < len(node.value):
            head.warn(f"nested values of {name} were left out", line=line)
    elif isinstance(node, yaml.MappingNode):
        pairs = [
            (_printable(key.value), _printable(value.value))
            for key, value in node.value
            if isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)
        ]
        _set(name, dict(pairs), line, head)
        if len(pairs) < len(node.value):
            head.warn(f"nested values of {name} were left out", line=line)


def _set(name: str, value: Value, line: int, head: Frontmatter) -> None:
    if name in head.fields:
        head.warn(f"{name} is given twice; the later one counts", line=line)
    head.fields[name] = value
    head.lines[name] = line


def _printable(text: str) -> str:
    # YAML escapes can spell what neither a terminal nor a UTF-8 column takes: ESC, NUL, surrogates.
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    return "".join(kept).strip()
