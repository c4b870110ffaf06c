"""The ports of a whole stack, chosen before anything starts.

So API and workers can be started with the addresses of their services, and load while those start.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from deploy.local.tcp_ports import choose_ports


@dataclass(frozen=True, slots=True)
class WantedPorts:
    """None stands for any that is free; an empty sequence for a part that is left out."""

    temporal: Sequence[int | None]
    """Of the server, of its web page and of its HTTP API."""
    s3: Sequence[int | None]
    model: Sequence[int | None]
    api: Sequence[int | None]
    workers: Sequence[int | None] = ()
    """Where each answers monitors."""


@dataclass(frozen=True, slots=True)
class PortPlan:
    temporal: Sequence[int]
    s3: Sequence[int]
    model: Sequence[int]
    api: Sequence[int]
    workers: Sequence[int] = ()


def choose(wanted: WantedPorts) -> PortPlan:
    """No two are the same. Another program may still take one before its part has it."""
    parts = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    ports = iter(choose_ports([port for part in parts.values() for port in part]))
    return PortPlan(**{name: [next(ports) for _ in part] for name, part in parts.items()})
