"""Whether a disk has room: what runs out of it should be told so, and wait."""

import errno
import shutil
from dataclasses import dataclass
from pathlib import Path

from activities.units import MEBIBYTE
from workflows.errors import DiskFull

# The embedded store takes nothing more when less than a hundredth of its disk is free, and does not
# say so; a little before that we do.
KEPT_SHARE = 0.01
KEPT_BYTES = 32 * MEBIBYTE

_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of a ``folder`` that is there, on which ``service`` keeps its files."""

    folder: Path
    service: str

    @property
    def shortage(self) -> DiskFull | None:
        """Why nothing more should be written to it; None when there is room."""
        usage = shutil.disk_usage(self.folder)
        kept_bytes = usage.total * KEPT_SHARE + KEPT_BYTES
        if usage.free >= kept_bytes:
            return None
        reason = (
            f"{self.folder} has {usage.free // MEBIBYTE} MiB free, and "
            f"{round(kept_bytes / MEBIBYTE)} MiB must stay free"
        )
        return DiskFull(service=self.service, reason=reason)

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
