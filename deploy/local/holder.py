"""What the lock of a data folder says of who has it, for those that find it taken."""

from dataclasses import dataclass
from enum import StrEnum

MOST_BYTES = 64  # of what it says
_MOST_DIGITS = 9


class Work(StrEnum):
    """The command that has the folder."""

    UP = "up"
    BACKUP = "backup"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Holder:
    """``pid`` is None where the lock does not say it, or not yet."""

    pid: int | None
    work: Work

    @property
    def text(self) -> str:
        """A stack says its number alone, as all versions know it."""
        return str(self.pid) if self.work is Work.UP else f"{self.pid} {self.work}"


def holder_in(content: bytes) -> Holder:
    pid, _, work = content.decode(errors="replace").strip().partition(" ")
    is_number = pid.isascii() and pid.isdecimal() and len(pid) <= _MOST_DIGITS
    return Holder(int(pid) if is_number else None, Work(work) if work in set(Work) else Work.UP)
