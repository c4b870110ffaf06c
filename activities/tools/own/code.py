"""Which code a tool of the house is made of: where its failures are mended, and what its results
follow from."""

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

# What modules of folders are called, and nobody else's.
MODULE_PREFIX = "agentos_own_tools"
DIGEST_DIGITS = 8  # Of the path of a folder.
_PREFIXED = re.compile(rf"\b{MODULE_PREFIX}_[0-9a-f]{{{DIGEST_DIGITS}}}_")


@dataclass(frozen=True, slots=True)
class OwnCode:
    """A folder with all its modules and the packages in it, or a single module."""

    root: Path

    @classmethod
    def of(cls, module: str, file: str) -> "OwnCode":
        """That of a module, which is imported from ``file``: the folder of tools that it lies in,
        or its package, the outermost that is in one place."""
        if module.startswith(MODULE_PREFIX):
            return cls(Path(file).resolve().parent)
        names = module.split(".")
        for end in range(1, len(names) + 1):
            found = sys.modules.get(".".join(names[:end]))
            place = getattr(found, "__file__", None)
            if place and hasattr(found, "__path__"):
                return cls(Path(place).resolve().parent)
        return cls(Path(file).resolve())

    def has(self, file: str) -> bool:
        """Whether a file that is executed is of it."""
        path = Path(file).resolve()
        return path == self.root or self.root in path.parents

    @property
    def digest(self) -> str:
        """The SHA-256 of its sources, as they are now."""
        whole = hashlib.sha256()
        for file in _sources(self.root) if self.root.is_dir() else (self.root,):
            source = hashlib.sha256(file.read_bytes()).hexdigest()
            name = file.relative_to(self.root.parent)
            whole.update(f"{name}\0{source}\0".encode("utf-8", "replace"))
        return whole.hexdigest()


def shown_place(file: str, line: object) -> str:
    """A line of code, for people: modules of two folders may have one name."""
    return f"{'/'.join(PurePath(file).parts[-2:])}, line {line}"


def plain_names(text: str) -> str:
    """A text for people, in which modules of folders are called what their files are."""
    return _PREFIXED.sub("", text)


def _sources(folder: Path) -> Iterator[Path]:
    """Modules, and those of packages: a folder of tools may have anything else beside them."""
    yield from (file for file in sorted(folder.glob("*.py")) if file.is_file())
    for below in sorted(folder.iterdir()):
        if not below.is_symlink() and (below / "__init__.py").is_file():
            yield from _sources(below)
