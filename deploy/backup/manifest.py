"""What a backup says of itself: the last part of the file, by which the others are checked."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT = 1
MANIFEST = "manifest.json"
TEMPORAL = "temporal.db"
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
MAX_SECRET_BYTES = 64 * 1024
MAX_SECRETS = 100
MOST_UNUSABLE = 10_000

_NAME = r"[a-z][a-z0-9_]{0,62}"
_SECRET = re.compile(r"secrets/([a-z0-9][a-z0-9.-]{0,62})")
_TABLE = re.compile(rf"tables/({_NAME})")
_BLOB = re.compile(r"blobs/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([0-9a-f]{64})")

Size = Annotated[int, Field(ge=0, le=2**62)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Kind = Literal["manifest", "temporal", "secret", "table", "blob"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Model):
    """One file in the backup, as it is when it is unpacked."""

    size: Size
    sha256: Digest


class Table(_Model):
    """The rows of a table, and which of its columns they have, in this order."""

    columns: Annotated[list[str], Field(min_length=1, max_length=1_600)]
    rows: Size


class BlobList(_Model):
    """The files of tasks. ``sha256`` is that of the list of their names. So many as
    ``unusable_count`` says were missing in the store, or damaged there, and are not in the backup;
    ``unusable`` names the first of them."""

    count: Size
    size: Size
    sha256: Digest
    unusable: Annotated[list[str], Field(max_length=MOST_UNUSABLE)] = []
    unusable_count: Size = 0


class Manifest(_Model):
    format: Literal[1] = 1
    version: Annotated[str, Field(max_length=100)]
    """Of the AgentOS that made it."""
    revision: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    """Of the tables of its database."""
    made_at: datetime
    parts: Annotated[dict[str, Part], Field(max_length=1_000)]
    tables: Annotated[dict[str, Table], Field(max_length=500)]
    sequences: Annotated[dict[str, Annotated[int, Field(ge=1, le=2**62)]], Field(max_length=500)]
    blobs: BlobList


class NameList:
    """The names of blobs, of which only a digest is kept, and of the first that are unusable."""

    def __init__(self) -> None:
        self.count = self.size = self.unusable_count = 0
        self.unusable: list[str] = []
        self._digest = hashlib.sha256()

    def add(self, name: str, size: int) -> None:
        self.count, self.size = self.count + 1, self.size + size
        self._digest.update(f"{name} {size}\n".encode())

    def leave_out(self, name: str) -> None:
        self.unusable_count += 1
        if self.unusable_count <= MOST_UNUSABLE:
            self.unusable.append(name)

    def listed(self) -> BlobList:
        return BlobList(
            count=self.count,
            size=self.size,
            sha256=self._digest.hexdigest(),
            unusable=self.unusable,
            unusable_count=self.unusable_count,
        )

    def are_of(self, told: BlobList) -> bool:
        """Whether these are the files that a backup says to hold."""
        found = (self.count, self.size, self._digest.hexdigest())
        return found == (told.count, told.size, told.sha256)


def table_part(table: str) -> str:
    return f"tables/{table}"


def secret_part(name: str) -> str:
    return f"secrets/{name}"


def is_secret(name: str) -> bool:
    """Whether a file of ``secrets/`` may be in a backup."""
    return _SECRET.fullmatch(secret_part(name)) is not None


def blob_part(team: object, sha256: str) -> str:
    return f"blobs/{team}/{sha256}"


def kind_of(name: str) -> Kind | None:
    """None for what no backup holds. A name is never used as a path."""
    fixed: Mapping[str, Kind] = {MANIFEST: "manifest", TEMPORAL: "temporal"}
    patterns: Mapping[Kind, re.Pattern[str]] = {"secret": _SECRET, "table": _TABLE, "blob": _BLOB}
    if name in fixed:
        return fixed[name]
    return next((kind for kind, pattern in patterns.items() if pattern.fullmatch(name)), None)


def secret_of(part: str) -> str:
    """The name of a secret, which is that of its file."""
    found = _SECRET.fullmatch(part)
    assert found, part
    return found[1]


def blob_of(part: str) -> tuple[str, str]:
    """Team and SHA-256 of a blob."""
    found = _BLOB.fullmatch(part)
    assert found, part
    return found[1], found[2]
