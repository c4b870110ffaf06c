"""Backups as nobody has made them: small ones, and ones that somebody has changed."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from activities.store import migrations
from deploy.backup.archive import ArchiveWriter
from deploy.backup.manifest import MANIFEST, Manifest, NameList, Table, blob_part, table_part

TEAM = UUID(int=1)
BLOB = b"a, b\n" * 1_000
BLOB_NAME = blob_part(TEAM, hashlib.sha256(BLOB).hexdigest())


async def small_backup(file: Path, *, missing: int = 0) -> Path:
    """One with a part of each kind, and without so many files of tasks."""
    with file.open("wb") as target:
        writer = ArchiveWriter(target)
        await writer.add("secrets/temporal-key", b"0" * 40)
        await writer.add("temporal.db", b"SQLite" * 10_000)
        await writer.add(table_part("teams"), b"1\tdefault\n")
        async with writer.part(BLOB_NAME) as part:
            await part.write(BLOB)
        names = NameList()
        names.add(BLOB_NAME, len(BLOB))
        for number in range(missing):
            names.leave_out(blob_part(TEAM, f"{number:064x}"))
        await writer.finish(
            Manifest(
                version="0.1.0",
                revision=migrations.NEWEST,
                made_at=datetime.now(UTC),
                parts=writer.parts,
                tables={"teams": Table(columns=["id", "name"], rows=1)},
                sequences={},
                blobs=names.listed(),
            )
        )
    return file


def changed(
    file: Path,
    target: Path,
    parts: Mapping[str, bytes | None] | None = None,
    manifest: Callable[[dict[str, Any]], object] | None = None,
    *,
    is_told: bool = False,
) -> Path:
    """A copy with other ``parts`` (None: without it). The manifest says so where ``is_told``."""
    parts = dict(parts or {})
    has_manifest = MANIFEST not in parts
    parts.pop(MANIFEST, None)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        document = json.loads(old.read(MANIFEST))
        for entry in old.infolist():
            if entry.filename == MANIFEST:
                continue
            content = parts.pop(entry.filename, old.read(entry.filename))
            if content is None:
                continue
            new.writestr(entry, content)
            if is_told and entry.filename in document["parts"]:
                digest = hashlib.sha256(content).hexdigest()
                document["parts"][entry.filename] = {"size": len(content), "sha256": digest}
        for name, content in parts.items():
            if content is not None:
                new.writestr(name, content)
        if manifest is not None:
            manifest(document)
        if has_manifest:
            new.writestr(MANIFEST, json.dumps(document))
    return target
