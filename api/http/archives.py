"""Files as a zip that is sent while it is made: neither memory nor disk ever holds it."""

import io
import zipfile
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from uuid import UUID

from activities.store.blobs import Blobs
from activities.store.reading.artifacts import Artifact
from api.http.file_names import clean_name
from api.tasks.exporting import ExportedFile

_READABLE = 0o644 << 16  # Where zip keeps the mode of a file.
# What programs write is mostly packed or small, and to pack it would keep a processor.
_METHOD = zipfile.ZIP_STORED


class _Sink(io.RawIOBase):
    """Takes what ``ZipFile`` writes. It cannot seek, so sizes and sums follow the bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


class ArchiveNames:
    """Names within an archive: below its folder, and each one once, on any system."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._numbers: defaultdict[str, int] = defaultdict(lambda: 1)

    def of(self, name: str) -> str:
        parts = [part for part in name.replace("\\", "/").split("/") if part.strip(". ")]
        path = "/".join(map(clean_name, parts or [""]))
        if not self._files.isdisjoint(_above(path)):  # A file is where its folder would be.
            path = path.replace("/", "_")
        found = path
        while (key := found.casefold()) in self._files or key in self._folders:
            self._numbers[path] += 1
            found = _numbered(path, self._numbers[path])
        self._files.add(key)
        self._folders.update(_above(found))
        return found


def _numbered(path: str, number: int) -> str:
    folder, slash, last = path.rpartition("/")
    stem, dot, suffix = last.rpartition(".")
    stem, end = (stem, f"{dot}{suffix}") if stem else (last, "")
    return f"{folder}{slash}{stem} ({number}){end}"


async def archive_of(
    blobs: Blobs, team_id: UUID, artifacts: AsyncIterator[Artifact]
) -> AsyncGenerator[bytes, None]:
    """The bytes of the archive; links are left out.

    Raises:
        TemporaryFailure, StoreRefused: whoever receives it sees that it broke off.
    """
    files = (
        ExportedFile(made.name, made.created_at, made.sha256, made.size)
        async for made in artifacts
        if made.sha256 is not None
    )
    async with aclosing(export_of(blobs, team_id, files)) as chunks:
        async for chunk in chunks:
            yield chunk


async def export_of(
    blobs: Blobs, team_id: UUID, files: AsyncIterator[ExportedFile]
) -> AsyncGenerator[bytes, None]:
    """The bytes of an archive of these files. Raises as ``archive_of``."""
    sink, names = _Sink(), ArchiveNames()
    with zipfile.ZipFile(sink, "w", _METHOD) as archive:
        async for file in files:
            entry = zipfile.ZipInfo(names.of(file.name), file.created_at.timetuple()[:6])
            entry.external_attr, entry.file_size = _READABLE, file.size
            # How long a text gets is not known before.
            with archive.open(entry, "w", force_zip64=file.parts is not None) as target:
                async with aclosing(_bytes_of(blobs, team_id, file)) as chunks:
                    async for chunk in chunks:
                        target.write(chunk)
                        yield sink.take()
    yield sink.take()


async def _bytes_of(blobs: Blobs, team_id: UUID, file: ExportedFile) -> AsyncGenerator[bytes, None]:
    if file.parts is not None:
        async for part in file.parts:
            yield part
    elif file.sha256 is not None:
        async with aclosing(blobs.stream(team_id, file.sha256)) as chunks:
            async for chunk in chunks:
                yield chunk


def _above(name: str) -> set[str]:
    """The folders that a name is in."""
    parts = name.casefold().split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}
