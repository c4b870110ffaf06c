"""Which files a script leaves, read from what its skill says of itself."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from deploy.offline_model.kinds import File, kinds_made
from deploy.offline_model.usage import Usage

_FILE_NAME = re.compile(r"(?<![\w./-])(?P<name>[\w-]+\.[A-Za-z][A-Za-z0-9]{0,4})(?![\w/-])")
_WRITES = re.compile(r"\bwrites\b(?P<what>[^\n]*?)(?:\.\s|\n|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Product:
    """``stem.kind`` for each of ``kinds``, of which there are none where nothing tells them. With a
    ``flag`` it can be given another stem; the flag is given the stem alone where the script adds
    the kinds itself (``is_prefix``), and always where nothing tells how the script would call it
    by itself (no ``has_default``)."""

    stem: str
    kinds: tuple[str, ...]
    flag: str | None = None
    is_prefix: bool = False
    has_default: bool = True

    def names(self, stem: str) -> Sequence[str]:
        return tuple(f"{stem}.{kind}" for kind in self.kinds)

    def option(self, stem: str) -> Sequence[str]:
        """The words that make the script write under another stem than its own."""
        if self.flag is None or (self.has_default and stem == self.stem):
            return ()
        return (self.flag, stem if self.is_prefix else f"{stem}.{self.kinds[0]}")


def product_of(usage: Usage, text: str, description: str) -> Product:
    """What a script writes, by its ``usage``, the ``text`` that this was read in, and the
    ``description`` of its skill."""
    default = usage.output_name
    if default and File(default).kind:
        path = PurePosixPath(default)
        return Product(path.stem, (path.suffix[1:],), usage.output_flag)
    if default:
        kinds = [*_kinds_of(default, f"{text}\n{description}")] or kinds_made(description)
        return Product(default, tuple(dict.fromkeys(kinds)), usage.output_flag, is_prefix=True)
    for name in _told(usage, text):
        path = PurePosixPath(name)
        if File(name).kind:
            return Product(path.stem, (path.suffix[1:],), usage.output_flag)
    if usage.output_flag and (kinds := kinds_made(description)):
        return Product("output", (kinds[0],), usage.output_flag, has_default=False)
    return Product("output", ())


def _kinds_of(prefix: str, text: str) -> Iterator[str]:
    for found in _FILE_NAME.finditer(text):
        stem, _, kind = found["name"].rpartition(".")
        if stem == prefix and File(found["name"]).kind:
            yield kind


def _told(usage: Usage, text: str) -> Iterator[str]:
    """Names of files where it is said what is written: in the row of the option, else in words."""
    if usage.output_flag:
        rows = (line for line in text.splitlines() if f"`{usage.output_flag}" in line)
        for row in rows:
            yield from (found["name"] for found in _FILE_NAME.finditer(row))
    for sentence in _WRITES.finditer(text):
        yield from (found["name"] for found in _FILE_NAME.finditer(sentence["what"]))
