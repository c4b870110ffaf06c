"""Whether a disk has room: what runs out of it should be told so, and wait."""

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path

from activities.units import MEBIBYTE
from workflows.errors import DiskFull

# The embedded store takes nothing more when less than a hundredth of its disk is free, and does not
# say so; a little before that we do, and stop the scripts on that disk.
KEPT_SHARE = 0.01
_KEPT_BYTES = 32 * MEBIBYTE

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Room:
    """What is free on a disk, and what must stay free."""

    free_bytes: int
    kept_bytes: int

    @property
    def is_short(self) -> bool:
        return self.free_bytes < self.kept_bytes

    def __str__(self) -> str:
        free, kept = self.free_bytes // MEBIBYTE, round(self.kept_bytes / MEBIBYTE)
        return f"{free} MiB free, and {kept} MiB must stay free"


def room_on(folder: Path) -> Room:
    """On the disk of a folder that is there."""
    usage = shutil.disk_usage(folder)
    return Room(usage.free, round(usage.total * KEPT_SHARE) + _KEPT_BYTES)


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of a ``folder`` that is there, on which ``service`` keeps its files."""

    folder: Path
    service: str

    @property
    def shortage(self) -> DiskFull | None:
        """Why nothing more should be written to it; None when there is room."""
        room = room_on(self.folder)
        if not room.is_short:
            return None
        return DiskFull(service=self.service, reason=f"{self.folder} has {room}")

    async def check(self) -> None:
        """Raises ``DiskFull``, a ``TemporaryFailure``, while there is no room."""
        if (shortage := self.shortage) is not None:
            raise shortage


def disk_full(error: OSError, service: str) -> DiskFull | None:
    """What an error of the system says of the disk of ``service``; None when it is another."""
    if error.errno not in _FULL:
        return None
    where = f"{error.filename}: " if error.filename else ""
    return DiskFull(service=service, reason=f"{where}{error.strerror}")
