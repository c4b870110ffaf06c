"""The file of a backup, as it is read: whoever made it, and whatever has happened to it since.

It is looked through whole before anything is written. No part is ever written to where its name
says: names are compared with those that a backup may have, and that is all they are good for.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from pydantic import ValidationError

from activities.store import migrations
from activities.units import MEBIBYTE
from deploy.backup.errors import BackupDamaged, BackupNewer, BackupUnreadable
from deploy.backup.manifest import (
    FORMAT,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    MAX_SECRET_BYTES,
    MAX_SECRETS,
    TEMPORAL,
    Manifest,
    NameList,
    blob_of,
    kind_of,
)

_PIECE = MEBIBYTE
_ENCRYPTED = 0x1
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class ArchiveReader:
    """Every method raises ``BackupDamaged`` for what is no part of a whole backup."""

    def __init__(self, file: Path, archive: zipfile.ZipFile) -> None:
        self._file = file
        self._zip = archive
        self._entries = self._listed()
        self.manifest = self._read_manifest()
        self._check_names()

    @property
    def size(self) -> int:
        """Of all parts together, unpacked, as the file says."""
        return sum(entry.file_size for entry in self._entries.values())

    @property
    def blobs(self) -> Iterator[tuple[str, str, int]]:
        """Team, SHA-256 and size of each, in the order in which they were written."""
        for name, entry in self._entries.items():
            if kind_of(name) == "blob":
                yield *blob_of(name), entry.file_size

    def check(self, look: Callable[[int], None]) -> None:
        """Read all of it, and compare it with what it says of itself. ``look`` is told how much was
        read, and may raise to stop it."""
        names = NameList()
        for name, entry in self._entries.items():
            if name == MANIFEST:
                continue
            digest = self._digest(name, look)
            if kind_of(name) != "blob":
                if digest != self.manifest.parts[name].sha256:
                    self.refuse(f"{name} was changed")
                continue
            if digest != blob_of(name)[1]:
                self.refuse(f"{name} was changed")
            names.add(name, entry.file_size)
        if not names.are_of(self.manifest.blobs):
            self.refuse("files of tasks are missing, or there are too many")

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        with self._zip.open(name) as part:
            yield part

    async def pieces(self, name: str) -> AsyncIterator[bytes]:
        with self.open(name) as part:
            while piece := part.read(_PIECE):
                yield piece

    def read(self, name: str) -> bytes:
        """A small part."""
        return self._zip.read(name)

    def _listed(self) -> Mapping[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        for entry in self._zip.infolist():
            if kind_of(entry.filename) is None:
                self.refuse(f"it has a part {entry.filename[:100]!r}, which no backup has")
            if entry.filename in entries:
                self.refuse(f"it has the part {entry.filename} twice")
            if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _PACKINGS:
                self.refuse(f"its part {entry.filename} is packed in another way")
            entries[entry.filename] = entry
        return entries

    def _read_manifest(self) -> Manifest:
        entry = self._entries.get(MANIFEST)
        if entry is None or entry.file_size > MAX_MANIFEST_BYTES:
            self.refuse(f"it has no {MANIFEST}, or one that is too large")
        try:
            document = json.loads(self._zip.read(MANIFEST))
        except (*_DAMAGE, RecursionError, UnicodeDecodeError):
            self.refuse(f"its {MANIFEST} cannot be read")
        self._require_known(document)
        try:
            return Manifest.model_validate_json(json.dumps(document))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, first["loc"]))[:100]
            self.refuse(f"its {MANIFEST} makes no sense at {place!r}")

    def _require_known(self, document: object) -> None:
        """Before all else: what a newer version writes may look like nonsense here."""
        if not isinstance(document, dict):
            return
        version = str(document.get("version", ""))[:100]
        number, revision = document.get("format"), str(document.get("revision", ""))[:20]
        if isinstance(number, int) and number > FORMAT:
            reason = f"its format is {number}, and this version knows {FORMAT}"
            raise BackupNewer(file=self._file, version=version, reason=reason)
        if revision.isdecimal() and revision > migrations.NEWEST:
            reason = (
                f"its database has revision {revision}, and this version knows them up to "
                f"{migrations.NEWEST}"
            )
            raise BackupNewer(file=self._file, version=version, reason=reason)

    def _check_names(self) -> None:
        """The parts are those that the manifest names, and of the sizes that it says."""
        parts, tables = self.manifest.parts, self.manifest.tables
        found = {name for name in self._entries if kind_of(name) not in {"blob", "manifest"}}
        if found != set(parts) or TEMPORAL not in parts:
            self.refuse("parts are missing, or there are too many")
        if {name for name in parts if kind_of(name) == "table"} != {f"tables/{t}" for t in tables}:
            self.refuse("tables are missing, or there are too many")
        secrets = [name for name in parts if kind_of(name) == "secret"]
        if len(secrets) > MAX_SECRETS:
            self.refuse("it has too many secrets")
        for name, part in parts.items():
            if self._entries[name].file_size != part.size:
                self.refuse(f"{name} is not as long as it was")
            if kind_of(name) == "secret" and part.size > MAX_SECRET_BYTES:
                self.refuse(f"{name} is too large")

    def _digest(self, name: str, look: Callable[[int], None]) -> str:
        digest = hashlib.sha256()
        try:
            with self._zip.open(name) as part:
                while piece := part.read(_PIECE):
                    digest.update(piece)
                    look(len(piece))
        except _DAMAGE as error:
            self.refuse(f"{name} is damaged ({_words(error)})")
        return digest.hexdigest()

    def refuse(self, reason: str) -> NoReturn:
        raise BackupDamaged(file=self._file, reason=reason)


@contextmanager
def opened(file: Path) -> Iterator[ArchiveReader]:
    """Raises ``BackupUnreadable``, ``BackupDamaged``, ``BackupNewer``."""
    try:
        if not file.is_file():
            raise BackupUnreadable(
                file=file, reason="it is no file" if file.exists() else "there is no such file"
            )
        archive = zipfile.ZipFile(file)
    except OSError as error:
        raise BackupUnreadable(file=file, reason=error.strerror or str(error)) from error
    except _DAMAGE as error:
        reason = "it is cut off, or no such file at all"
        raise BackupDamaged(file=file, reason=reason) from error
    with archive:
        yield ArchiveReader(file, archive)


def _words(error: Exception) -> str:
    match error:
        case EOFError():
            return "it ends too early"
        case zlib.error():
            return "it cannot be unpacked"
        case zipfile.BadZipFile():
            return "its checksum is another"
        case _:
            return "it is no part of a ZIP archive"
