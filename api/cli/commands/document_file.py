"""A YAML or JSON document in a file."""

import sys
from pathlib import Path

from pydantic import JsonValue

from api.cli.errors import DocumentUnreadable
from api.wire.errors import BodyMalformed
from api.wire.json_reader import parse_json
from api.wire.yaml_reader import parse_yaml
from workflows.errors import BadInput

MAX_BYTES = 2 * 1024 * 1024  # The API takes no larger request.


def read_document(path: Path, refusal: type[BadInput]) -> JsonValue:
    """The value in a file; ``-`` is stdin.

    Raises:
        DocumentUnreadable: there is no such file, or it may not be read.
        refusal: it is no such document; with the fields ``path`` and ``reason``.
    """
    content = read_content(path, refusal)
    try:
        return document_of(path, content)
    except UnicodeDecodeError as error:
        raise refusal(path=path, reason="it is not UTF-8") from error
    except BodyMalformed as error:
        reason = "it is not valid {form}: {reason} (line {line}, column {column})"
        raise refusal(path=path, reason=reason.format_map(error.fields)) from error


def document_of(path: Path, content: bytes) -> JsonValue:
    """The value in the content of a file. Raises ``BodyMalformed`` and ``UnicodeDecodeError``."""
    if path.suffix == ".json":
        return parse_json(content)
    return parse_yaml(content.decode("utf-8-sig"))


def read_content(path: Path, refusal: type[BadInput]) -> bytes:
    """What is in a file; ``-`` is stdin. Raises ``DocumentUnreadable``, and ``refusal`` for too
    much."""
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentUnreadable(path=path, reason=error.strerror or str(error)) from error
    if len(content) > MAX_BYTES:
        raise refusal(path=path, reason=f"it is larger than {MAX_BYTES} bytes")
    return content
