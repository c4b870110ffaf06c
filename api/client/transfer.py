"""Files to and from the API, streamed: none is held in memory whole."""

import asyncio
import hashlib
import mimetypes
import os
import re
import secrets
import stat
import unicodedata
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote

import httpx2
from pydantic import BaseModel, ConfigDict

from api.client import calls
from api.client.asking import mistaken
from api.client.errors import (
    ArtifactNameRefused,
    DownloadDamaged,
    FileUnreadable,
    FileUnwritable,
    PipelineUnreadable,
)
from api.client.transport import (
    ANSWER_TIMEOUT_SECONDS,
    UPLOAD_TIMEOUT_SECONDS,
    Answer,
    Transport,
)
from api.wire.responses.files import Artifact, File

_FILE_NAME = re.compile(r"filename\*=UTF-8''([^;\s]+)", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_DOCUMENT_BYTES = 2 * 1024 * 1024  # The API takes no larger request.
_UNPRINTABLE = ("Cc", "Cs")  # Control characters and halves of surrogate pairs.


class Download(BaseModel):
    """What to fetch, and what it must turn out to be. ``name`` may have folders: ``a/b.csv``."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    size: int
    sha256: str | None
    folder: str = "artifacts"
    """Where the API has it."""

    @classmethod
    def of(cls, file: Artifact | File) -> "Download":
        return cls(
            id=str(file.id),
            name=file.name,
            size=file.size,
            sha256=file.sha256,
            folder="artifacts" if isinstance(file, Artifact) else "files",
        )

    @classmethod
    def described_by(
        cls, artifact_id: str, headers: httpx2.Headers, folder: str = "artifacts"
    ) -> "Download":
        """A file of which only the id is known, by the answer to HEAD."""
        named = _FILE_NAME.search(headers.get("Content-Disposition", ""))
        tag = headers.get("ETag", "").strip('"')
        return cls(
            id=artifact_id,
            name=unquote(named[1]) if named else artifact_id,
            size=int(headers.get("Content-Length", "0")),
            sha256=tag if _SHA256.fullmatch(tag) else None,
            folder=folder,
        )


def told_apart(items: Sequence[Artifact]) -> list[Download]:
    """What to fetch of these. Files of the same name, made by different steps, go into a folder for
    each step."""
    uses = Counter(item.name for item in items)
    return [
        Download.of(
            item
            if uses[item.name] == 1
            else item.model_copy(update={"name": f"{item.sub_task}/{item.name}"})
        )
        for item in items
    ]


def wanted_of(given: object) -> Download:
    """Raises ``RequestMistaken`` for what is no file of the API."""
    if isinstance(given, Download):
        return given
    if isinstance(given, Artifact | File):
        return Download.of(given)
    raise mistaken("", "an artifact, an uploaded file or a Download", given)


async def upload(
    transport: Transport, given: Path | bytes, answer: type[Answer], *, name: str | None = None
) -> Answer:
    """Send a file, or its content, to ``POST /files``.

    Raises:
        FileUnreadable: it is no readable regular file.
        ApiProblem, ApiUnreachable, NotTheApi
    """
    if isinstance(given, bytes):
        named = name or "file"
        return await transport.post_file("/files", answer, named, _type_of(named), BytesIO(given))
    named = name or given.name
    with await asyncio.to_thread(open_regular, given) as file:
        return await transport.post_file("/files", answer, named, _type_of(named), file)


def _type_of(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


async def read_text(path: Path) -> str:
    """The text of a pipeline. Raises ``FileUnreadable``, and ``PipelineUnreadable`` for one that is
    too large: its beginning may be a pipeline as well, and not what was meant."""

    def read() -> bytes:
        with open_regular(path) as file:
            return file.read(MAX_DOCUMENT_BYTES + 1)

    content = await asyncio.to_thread(read)
    if len(content) > MAX_DOCUMENT_BYTES:
        limit = f"{path} is larger than {MAX_DOCUMENT_BYTES} bytes"
        raise PipelineUnreadable(reason=f"{limit}: keep data in files, and give them as inputs")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable(path=path, reason="it is not UTF-8") from error


def open_regular(path: Path) -> BinaryIO:
    """Raises ``FileUnreadable``: also for a FIFO, which would be waited on without end."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FileUnreadable(path=path, reason="it is not a regular file")
        return path.open("rb")
    except OSError as error:
        raise FileUnreadable(path=path, reason=error.strerror) from error


async def download(transport: Transport, wanted: Download, folder: Path) -> Path:
    """Fetch an artifact into a folder: whole and verified under its name, or not at all.

    Raises:
        ArtifactNameRefused: its name leads out of the folder.
        FileUnwritable, DownloadDamaged, ApiProblem, ApiUnreachable
    """
    target = target_of(wanted, folder)
    # A name that nobody else has: a file of the user's, or another artifact, may end in ".part".
    part = target.with_name(f".agentos-{secrets.token_hex(8)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # "x" opens no file and follows no link that was put there meanwhile.
        with part.open("xb") as file:
            await _fetch(transport, wanted, file)
        part.replace(target)
    except OSError as error:
        raise FileUnwritable(path=target, reason=error.strerror or str(error)) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return target


async def download_whole(transport: Transport, path: str, target: Path) -> int:
    """Write what the API sends at a path, which it makes as it is sent, to a file: whole or not at
    all. Gives the number of bytes.

    Raises:
        FileUnwritable, DownloadDamaged, ApiProblem, ApiUnreachable
    """
    part = target.with_name(f".agentos-{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            async with transport.stream(
                path, headers={}, read_timeout_seconds=UPLOAD_TIMEOUT_SECONDS
            ) as response:
                async for chunk in response.aiter_bytes():
                    await asyncio.to_thread(file.write, chunk)
            size = file.tell()
        part.replace(target)
    except httpx2.RemoteProtocolError as error:
        reason = "the server broke off; its log says why"
        raise DownloadDamaged(name=str(target), reason=reason) from error
    except httpx2.TransportError as error:
        raise transport.unreachable(error) from error
    except OSError as error:
        raise FileUnwritable(path=target, reason=error.strerror or str(error)) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return size


def target_of(wanted: Download, folder: Path) -> Path:
    """Where an artifact is written: below ``folder``, whatever its name and the links there say.

    Raises:
        ArtifactNameRefused
        FileUnwritable: the locale cannot say its name.
    """
    try:
        os.fsencode(wanted.name)
    except UnicodeEncodeError as error:
        reason = f"names of files are in {error.encoding} here, which lacks letters of it"
        raise FileUnwritable(path=folder / wanted.name, reason=reason) from error
    parts = PurePosixPath(wanted.name).parts
    target = folder.joinpath(*parts)
    is_safe = (
        parts
        and not any(unicodedata.category(character) in _UNPRINTABLE for character in wanted.name)
        and ".." not in parts
        and _lies_in(target.parent, folder)
    )
    if not is_safe:
        raise ArtifactNameRefused(artifact_id=wanted.id, name=wanted.name, folder=folder)
    return target


def _lies_in(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # Links that lead in a circle; which one, depends on Python.
        return False


async def _fetch(transport: Transport, wanted: Download, file: BinaryIO) -> None:
    """Fetch the bytes; after a lost connection the rest of them."""
    digest = hashlib.sha256()
    for pause_seconds in chain(transport.pauses(), (None,)):
        try:
            await _fetch_rest(transport, wanted, file, digest)
            break
        except httpx2.TransportError as error:
            if file.tell() == wanted.size:
                break
            if pause_seconds is None:
                raise transport.unreachable(error) from error
            await asyncio.sleep(pause_seconds)
    if file.tell() != wanted.size:
        reason = f"{file.tell()} bytes instead of {wanted.size}"
        raise DownloadDamaged(name=wanted.name, reason=reason)
    if wanted.sha256 is not None and digest.hexdigest() != wanted.sha256:
        raise DownloadDamaged(name=wanted.name, reason="its SHA-256 differs")


async def _fetch_rest(
    transport: Transport, wanted: Download, file: BinaryIO, digest: "hashlib._Hash"
) -> None:
    begin = file.tell()
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={begin}-"} if begin else {})
    async with transport.stream(
        f"/{wanted.folder}/{calls.part(wanted.id)}",
        headers=headers,
        read_timeout_seconds=ANSWER_TIMEOUT_SECONDS,
    ) as response:
        if begin and response.status_code != httpx2.codes.PARTIAL_CONTENT:
            raise DownloadDamaged(name=wanted.name, reason="the server cannot resume it")
        async for chunk in response.aiter_bytes():
            if file.tell() + len(chunk) > wanted.size:
                raise DownloadDamaged(name=wanted.name, reason=f"more than {wanted.size} bytes")
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
