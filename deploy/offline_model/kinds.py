"""Files, and their kinds in the words that descriptions of skills use."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

# Suffix: media type, and the words for it.
_KINDS = {
    "csv": ("text/csv", "csv"),
    "tsv": ("text/tab-separated-values", "tsv"),
    "md": ("text/markdown", "markdown", "md"),
    "json": ("application/json", "json"),
    "html": ("text/html", "html"),
    "txt": ("text/plain", "text", "txt"),
    "pdf": ("application/pdf", "pdf"),
    "docx": (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        *("docx", "word"),
    ),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        *("xlsx", "excel"),
    ),
    "png": ("image/png", "png"),
    "jpg": ("image/jpeg", "jpeg", "jpg"),
    "gif": ("image/gif", "gif"),
    "webp": ("image/webp", "webp"),
    "svg": ("image/svg+xml", "svg"),
}
_SAME = {"htm": "html", "jpeg": "jpg", "markdown": "md"}
_OF_WORD = {word: kind for kind, (_, *words) in _KINDS.items() for word in words}
_OF_MEDIA_TYPE = {media_type: kind for kind, (media_type, *_) in _KINDS.items()}

# "as PNG and SVG": what a skill makes, not what it takes.
_MADE = re.compile(r"\bas\b.*?(?=[.;:)]| - |, with\b|$)")


@dataclass(frozen=True, slots=True)
class File:
    """A working file. ``url`` is empty for one that the task began with."""

    name: str
    url: str = ""
    media_type: str = ""

    @property
    def kind(self) -> str | None:
        """Its usual suffix, such as ``csv``; None when neither name nor media type tells."""
        suffix = PurePosixPath(self.name).suffix.removeprefix(".").lower()
        suffix = _SAME.get(suffix, suffix)
        return suffix if suffix in _KINDS else _OF_MEDIA_TYPE.get(self.media_type)

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem


def kinds_taken(description: str) -> Sequence[str]:
    """The kinds of file that a skill says it takes, in the order in which it names them."""
    words = re.findall(r"[a-z]+", _MADE.sub(" ", description).lower())
    return tuple(dict.fromkeys(_OF_WORD[word] for word in words if word in _OF_WORD))


def kinds_made(description: str) -> Sequence[str]:
    """The kinds of file that a skill says it makes: those after ``as``, if it takes others."""
    made = " ".join(found[0] for found in _MADE.finditer(description)).lower()
    words = re.findall(r"[a-z]+", made)
    return tuple(dict.fromkeys(_OF_WORD[word] for word in words if word in _OF_WORD))
