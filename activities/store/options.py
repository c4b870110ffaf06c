"""What the stores are told of where they are. It loads nothing: settings need no client of one."""

from dataclasses import dataclass, field
from pathlib import Path

# Connections of one process.
DEFAULT_POOL_SIZE = 20
DEFAULT_MAX_OVERFLOW = 10


@dataclass(frozen=True, slots=True)
class S3Options:
    """``endpoint`` is a URL: ``http://127.0.0.1:8333``. ``folder`` is on the disk of the store,
    where that is on this machine. Without ``region``, it is that in the name of the endpoint."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    folder: Path | None = None
    region: str = ""
