"""A YAML or JSON document in a file."""

import sys
from itertools import islice
from pathlib import Path

from pydantic import JsonValue

from api.cli.errors import DocumentUnreadable
from api.cli.written_files import WrittenFile, remember
from api.wire.errors import BodyMalformed
from api.wire.json_reader import parse_json
from api.wire.json_words import EMPTY
from api.wire.yaml_reader import ONLY_COMMENTS, parse_yaml
from workflows.errors import BadInput
from workflows.suggestions import nearest

MAX_BYTES = 2 * 1024 * 1024  # The API takes no larger request.
_LOOKED_AT_BYTES = 8 * 1024
_NEAR_NAMES = 1_000


def read_document(path: Path, refusal: type[BadInput], part: str = "") -> JsonValue:
    """The value in a file; ``-`` is stdin. ``part`` is the field of a request that it becomes.

    Raises:
        DocumentUnreadable: there is no such file, or it may not be read.
        refusal: it is no such document; with the fields ``path`` and ``reason``.
    """
    text = read_text(path, refusal)
    remember(WrittenFile(path, text))
    try:
        document = document_in(path, text)
    except BodyMalformed as error:
        if error.fields["reason"] in (EMPTY, ONLY_COMMENTS):
            raise refusal(path=path, reason=error.fields["reason"]) from error
        reason = "it is not valid {form}: {reason} (line {line}, column {column})"
        told = {**error.fields, "reason": reason.format_map(error.fields)}
        raise refusal(path=path, **told) from error
    remember(WrittenFile(path, text, document, part))
    return document


def document_in(path: Path, text: str) -> JsonValue:
    """The value in the text of a file. Raises ``BodyMalformed`` and ``TooManyValues``."""
    return parse_json(text.encode()) if path.suffix == ".json" else parse_yaml(text)


def read_text(path: Path, refusal: type[BadInput]) -> str:
    """The text in a file; ``-`` is stdin. Raises ``DocumentUnreadable``, and ``refusal`` for what
    is none, or is too much."""
    content = _read(path, refusal)
    if b"\0" in content[:_LOOKED_AT_BYTES]:
        raise refusal(path=path, reason="it is a binary file, and no text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        reason = f"it is not UTF-8 (line {line}): save it as UTF-8"
        raise refusal(path=path, reason=reason) from error


def _read(path: Path, refusal: type[BadInput]) -> bytes:
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentUnreadable(path=path, reason=_why(path, error)) from error
    if len(content) > MAX_BYTES:
        reason = f"it is larger than {MAX_BYTES} bytes: keep data in files, and give them as inputs"
        raise refusal(path=path, reason=reason)
    return content


def _why(path: Path, error: OSError) -> str:
    """What the system says, and which file may have been meant."""
    if isinstance(error, IsADirectoryError):
        return "it is a folder; name a file in it"
    if isinstance(error, FileNotFoundError):
        meant = file_like(path)
        return f"there is no such file{f' (did you mean {meant}?)' if meant else ''}"
    return error.strerror or str(error)


def file_like(path: Path) -> Path | None:
    """The file of its folder that may be meant by a name that none has."""
    try:
        names = [entry.name for entry in islice(path.parent.iterdir(), _NEAR_NAMES)]
    except OSError:
        return None
    meant = nearest(path.name, names)
    return path.with_name(meant) if meant else None
