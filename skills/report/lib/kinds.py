"""What a file holds, judged by its bytes: the name of a step's input may say nothing."""

import json
import re
from pathlib import Path

from csv_file import BadInput, detect_encoding, open_csv

HEADING = re.compile(r"\s{0,3}#{1,6}\s+")
MAX_TEXT_BYTES = 2 * 1024 * 1024
PICTURE_MARKS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
SVG = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]",
    re.DOTALL,
)
EXTENSIONS = {
    "csv": (".csv", ".tsv"),
    "json": (".json",),
    "markdown": (".md", ".markdown"),
    "text": (".txt", ".log", ".html", ".xml", ".yaml", ".yml", ".toml", ".py"),
}


def picture_type(head: bytes) -> str | None:
    for mark, kind in PICTURE_MARKS.items():
        if head.startswith(mark):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if SVG.match(head) else None


def text_kind(path: Path) -> str:
    """By the file's extension; without a known one, by its beginning."""
    for kind, extensions in EXTENSIONS.items():
        if path.suffix.lower() in extensions:
            return kind
    text, cut = read_text(path)
    if text.lstrip()[:1] in ("{", "[") and not cut and parse_json(text) is not None:
        return "json"
    if HEADING.match(text.lstrip().partition("\n")[0]):
        return "markdown"
    return "csv" if looks_like_csv(path) else "text"


def looks_like_csv(path: Path) -> bool:
    """At least two rows, and the first of them all of one width."""
    try:
        header, rows = open_csv(path).table()
        widths = [len(row) for _, row in zip(range(20), rows, strict=False)]
    except BadInput:
        return False
    return len(header) > 1 and bool(widths) and {*widths} == {len(header)}


def read_text(path: Path) -> tuple[str, bool]:
    """The beginning of a file as text, and whether that is not all of it."""
    encoding, _ = detect_encoding(path)
    with path.open("rb") as file:
        content = file.read(MAX_TEXT_BYTES + 1)
    cut = len(content) > MAX_TEXT_BYTES
    return content[:MAX_TEXT_BYTES].decode(encoding, "ignore" if cut else "replace"), cut


def parse_json(text: str) -> object:
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed
