"""What a tool answered, as text for the model and files for the task."""

import base64
import binascii
import json
import mimetypes
import re
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import mcp_types as types

from activities.mime_types import UNKNOWN_TYPE, clean_mime_type
from activities.tools.mcp.limits import MAX_CONTENT_PARTS, MAX_FILES, MAX_TEXT_CHARACTERS
from activities.tools.mcp.listing import clean_text
from activities.tools.mcp.results import McpFile, McpResult

_MAX_STEM_CHARACTERS = 80
_MAX_SUFFIX_CHARACTERS = 12


def result_of(
    answer: types.CallToolResult, redacted: Callable[[str], str] = lambda text: text
) -> McpResult:
    """Text is joined, all else becomes files; structured content speaks where no text does.

    What is too long is cut off once it is ``redacted``: half of a secret would not be recognised.
    """
    reader = _Reader()
    for part in answer.content[:MAX_CONTENT_PARTS]:
        reader.take(part)
    if not reader.texts and answer.structured_content is not None:
        reader.texts.append(json.dumps(answer.structured_content, ensure_ascii=False))
    left_out = len(answer.content) - MAX_CONTENT_PARTS
    if left_out > 0:
        reader.texts.append(f"[{left_out} further parts of the answer were left out]")
    return McpResult(
        text=_bounded(redacted(clean_text("\n".join(reader.texts)))),
        files=tuple(reader.files),
        is_error=answer.is_error,
    )


class _Reader:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.files: list[McpFile] = []

    def take(self, part: types.ContentBlock) -> None:
        match part:
            case types.TextContent():
                self.texts.append(part.text)
            case types.ImageContent() | types.AudioContent():
                self._keep(part.type, part.data, part.mime_type)
            case types.ResourceLink():
                kind = f" ({part.mime_type})" if part.mime_type else ""
                self.texts.append(f"Resource {part.name!r}{kind}: {part.uri}")
            case types.EmbeddedResource(resource=types.TextResourceContents() as resource):
                self.texts.append(resource.text)
            case types.EmbeddedResource(resource=types.BlobResourceContents() as resource):
                self._keep(_last_part(resource.uri), resource.blob, resource.mime_type)

    def _keep(self, wanted: str, data: str, mime_type: str | None) -> None:
        if len(self.files) == MAX_FILES:
            self.texts.append(f"[a file was left out: there are more than {MAX_FILES}]")
            return
        try:
            content = _decoded(data)
        except (binascii.Error, ValueError):
            self.texts.append("[a file was left out: it is not valid base64]")
            return
        kind = clean_mime_type(mime_type)
        name = safe_name(wanted, kind, (file.name for file in self.files))
        self.files.append(McpFile(name, kind, content))


def _decoded(data: str) -> bytes:
    """Base64 as it is met: in lines, without its padding, or in the alphabet for URLs."""
    plain = "".join(data.split()).rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def safe_name(wanted: str, mime_type: str, taken: Iterable[str]) -> str:
    """A name that no file system, terminal or program takes amiss, with a suffix for its type."""
    kept = re.sub(r"[^A-Za-z0-9._-]+", "_", wanted).strip("._-")
    path = PurePosixPath(kept or "file")
    suffix = path.suffix[:_MAX_SUFFIX_CHARACTERS]
    if not suffix and mime_type != UNKNOWN_TYPE:
        suffix = mimetypes.guess_extension(mime_type) or ""
    stem = path.stem[:_MAX_STEM_CHARACTERS]
    others = {name.lower() for name in taken}
    name, number = f"{stem}{suffix}", 1
    while name.lower() in others:
        number += 1
        name = f"{stem}-{number}{suffix}"
    return name


def _last_part(uri: str) -> str:
    try:
        return unquote(urlsplit(uri).path).rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""


def _bounded(text: str) -> str:
    cut = len(text) - MAX_TEXT_CHARACTERS
    return (
        f"{text[:MAX_TEXT_CHARACTERS]}\n[{cut} more characters were left out]" if cut > 0 else text
    )
