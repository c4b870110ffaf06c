"""The ports of a whole stack, chosen before anything starts.

So API and workers can be started with the addresses of their services, and load while those start.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from deploy.local.state import DataFolder
from deploy.local.tcp_ports import Suits, any_port, choose_ports, is_free

_FILE = "ports.json"
_LAST_PORT = 65_535


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


def choose(wanted: WantedPorts, suits: Suits = any_port) -> PortPlan:
    """No two are the same, and those that were not asked for suit every part. Another program may
    still take one before its part has it."""
    parts = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    ports = iter(choose_ports([port for part in parts.values() for port in part], suits))
    return PortPlan(**{name: [next(ports) for _ in part] for name, part in parts.items()})


@dataclass(frozen=True, slots=True)
class KeptPorts:
    """Those that each part had last time, by its name. They are wanted again: addresses are in
    bookmarks, in shells, in the targets of Prometheus, and in links that Temporal keeps."""

    ports: Mapping[str, Sequence[int]]

    def of(self, part: str, number: int, usual: int | None) -> int | None:
        """The port of that number of a part, if it can be had; else the usual one."""
        kept = self.ports.get(part, ())[number : number + 1]
        return kept[0] if kept and is_free(kept[0]) else usual


def kept_ports(data: DataFolder) -> KeptPorts:
    """None where nothing has run yet, or the file is not as we write it."""
    try:
        found = json.loads((data.path / _FILE).read_bytes())
        ports = {str(part): [int(port) for port in kept] for part, kept in found.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return KeptPorts({})
    return KeptPorts({part: kept for part, kept in ports.items() if all(map(_is_port, kept))})


def keep_ports(data: DataFolder, ports: Mapping[str, Sequence[int]]) -> None:
    """Write down what parts have; those of parts that do not run now stay."""
    former = dict(kept_ports(data).ports)
    now = {**former, **{part: list(had) for part, had in ports.items()}}
    if now != former:
        data.write(data.path / _FILE, json.dumps(now) + "\n")


def _is_port(port: int) -> bool:
    return 0 < port <= _LAST_PORT
