"""The file of a backup, as it is written: a ZIP archive, part after part.

Written in pieces, in the event loop itself: nothing else is done in the process, and between two of
them it can be stopped.
"""

import asyncio
import hashlib
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO

from activities.units import MEBIBYTE
from deploy.backup.manifest import MANIFEST, Manifest, Part

_PIECE = MEBIBYTE
_LEVEL = 3
_SAMPLE_BYTES = 64 * 1024
_WORTH_IT = 0.9


class OpenPart:
    """A part that is being written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._size = 0

    async def write(self, piece: bytes) -> None:
        for begin in range(0, len(piece), _PIECE):
            some = memoryview(piece)[begin : begin + _PIECE]
            self._digest.update(some)
            self._size += len(some)
            self._file.write(some)
            await asyncio.sleep(0)

    @property
    def written(self) -> Part:
        return Part(size=self._size, sha256=self._digest.hexdigest())


class ArchiveWriter:
    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file, "w", allowZip64=True)
        self._now = datetime.now(UTC).timetuple()[:6]
        self.parts: dict[str, Part] = {}

    @asynccontextmanager
    async def part(self, name: str, *, is_packed: bool = True) -> AsyncIterator[OpenPart]:
        entry = zipfile.ZipInfo(name, self._now)
        entry.external_attr = 0o600 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
        entry._compresslevel = _LEVEL  # type: ignore[attr-defined]  # public from Python 3.13 on
        with self._zip.open(entry, "w", force_zip64=True) as file:
            yield OpenPart(file)

    def take_out(self, name: str) -> None:
        """Of the last part, ``name``: its bytes stay, but by the file's own list there is none."""
        self._zip.filelist.remove(self._zip.NameToInfo.pop(name))

    async def add(self, name: str, content: bytes) -> None:
        async with self.part(name) as part:
            await part.write(content)
        self.parts[name] = part.written

    async def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            async with self.part(name) as part:
                while piece := file.read(_PIECE):
                    await part.write(piece)
        self.parts[name] = part.written

    async def finish(self, manifest: Manifest) -> None:
        async with self.part(MANIFEST) as part:
            await part.write(manifest.model_dump_json(indent=2).encode())
        self._zip.close()

    def give_up(self) -> None:
        """What was written is of no use, but an open archive would complain."""
        self._zip.close()


def is_worth_packing(beginning: bytes) -> bool:
    """Whether a file gets smaller: most pictures and archives do not."""
    sample = beginning[:_SAMPLE_BYTES]
    return len(zlib.compress(sample, 1)) < _WORTH_IT * len(sample)


def total(parts: Iterable[Part]) -> int:
    return sum(part.size for part in parts)
