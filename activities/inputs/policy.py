"""What may be fetched from where. Nothing outside the store, unless somebody allows it."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from workflows.definitions.inputs import HTTPS_PORT, HttpsRef, S3Ref
from workflows.errors import BadInput

_ADD_IT = "; add it there, for the API and the workers, and restart them"
_GIBIBYTE = 1024**3

_PATTERN = re.compile(r"(?P<host>\*|(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]+))?")


@dataclass(frozen=True, slots=True)
class HostPattern:
    """``a.example``, ``*.a.example`` (what is below it, not itself) or ``*``, and one port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``BadInput`` when ``text`` is no pattern."""
        match = _PATTERN.fullmatch(text.strip().lower())
        if match is None:
            raise BadInput(
                reason=f"{text!r} is not a host: write a.example, *.a.example or a.example:8443"
            )
        return cls(match["host"].strip("[]"), int(match["port"] or HTTPS_PORT))

    def matches(self, ref: HttpsRef) -> bool:
        return self.fits(ref.host, ref.port)

    def fits(self, host: str, port: int) -> bool:
        if port != self.port:
            return False
        if self.host.startswith("*"):
            return host.endswith(self.host[1:])
        return host == self.host


@dataclass(frozen=True, slots=True)
class InputPolicy:
    """Where inputs may come from, and how much.

    ``allowed_hosts`` must have addresses of the public internet. ``private_hosts`` are allowed as
    well, and may be inside the house: on private addresses or on this machine. Both are patterns.
    ``ca_file`` has certificates (PEM) to trust beside the public ones.
    ``max_bytes`` and ``timeout_seconds`` bound one input from outside; ``cache_bytes`` all that are
    kept on this machine.
    """

    allowed_hosts: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()
    allowed_buckets: tuple[str, ...] = ()
    max_bytes: int = _GIBIBYTE
    timeout_seconds: float = 600.0
    cache_bytes: int = 10 * _GIBIBYTE
    ca_file: Path | None = None
    _public: tuple[HostPattern, ...] = field(init=False, repr=False)
    _private: tuple[HostPattern, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_public", tuple(map(HostPattern.parse, self.allowed_hosts)))
        object.__setattr__(self, "_private", tuple(map(HostPattern.parse, self.private_hosts)))

    def refusal(self, ref: S3Ref | HttpsRef) -> str | None:
        """Why ``ref`` may not be fetched; None when it may."""
        if isinstance(ref, S3Ref):
            if ref.bucket in self.allowed_buckets:
                return None
            return f"bucket {ref.bucket!r} is not in AGENTOS_ALLOWED_BUCKETS{_ADD_IT}"
        if any(pattern.matches(ref) for pattern in self._public) or self.is_private(ref):
            return None
        return f"host {ref.authority!r} is not in AGENTOS_ALLOWED_HOSTS{_ADD_IT}"

    def is_private(self, ref: HttpsRef) -> bool:
        """Whether the host of ``ref`` may have a private address."""
        return any(pattern.matches(ref) for pattern in self._private)
