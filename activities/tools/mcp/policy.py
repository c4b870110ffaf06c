"""Which MCP servers may be used. A program of somebody's choice is code of somebody's choice."""

import re
import shlex
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from activities.inputs.policy import HostPattern
from workflows.definitions.mcp_server import McpServer
from workflows.errors import BadInput
from workflows.errors.mcp import McpNotAllowed

_ANY = "*"
PORTS = {"http": 80, "https": 443}
_ORIGIN = re.compile(
    r"(?:(?P<scheme>https?)://)?"
    r"(?P<host>\*|(?:\*\.)?[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]+|\*))?"
)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class McpPolicy:
    """What a server may be.

    ``commands`` are whole command lines, as in a shell: ``mcp-server-time --local-timezone UTC``.
    One that ends with ``*`` takes any further arguments, and ``*`` alone is any program at all.
    ``env`` names the variables that may be given to programs: one such as LD_PRELOAD or
    NODE_OPTIONS makes another program of an allowed one. Where any program is allowed, so is any
    variable and any working folder; else there is none of the latter.
    ``hosts`` are origins: ``a.example`` (https, port 443), ``*.a.example:8443``,
    ``http://10.0.0.5:*`` (any port). They must have addresses of the public internet, except those
    that are written as an address or ``localhost``, and those on ``private_hosts``, which are
    patterns as of inputs: ``tracker:8080``.
    """

    commands: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()
    is_for_owner: bool = False
    """Whether it holds for the user who runs AgentOS only: nobody has listed anything."""

    def __post_init__(self) -> None:
        """Raises ``BadInput`` when an entry cannot be understood."""
        for command in self.commands:
            words_of(command)
        for host in self.hosts:
            _Origin.parse(host)
        for host in self.private_hosts:
            HostPattern.parse(host)

    @classmethod
    def for_loopback(cls) -> Self:
        """Where nobody but the machine's own user can register: any program, and local servers."""
        origins = (f"{scheme}://{host}:*" for scheme in PORTS for host in _LOOPBACK)
        return cls(commands=(_ANY,), hosts=tuple(origins), is_for_owner=True)

    def check(self, server: McpServer) -> None:
        """Raises ``McpNotAllowed``."""
        if server.transport == "http":
            self._check_url(server)
        elif _ANY not in self.commands:
            self._check_program(server)

    def is_inside(self, server: McpServer) -> bool:
        """Whether an HTTP server may be on this machine, or on a private address."""
        scheme, host, port = _origin_of(server)
        if any(HostPattern.parse(item).fits(host, port) for item in self.private_hosts):
            return True
        origins = map(_Origin.parse, self.hosts)
        return any(each.tells_address and each.matches(scheme, host, port) for each in origins)

    def _check_url(self, server: McpServer) -> None:
        scheme, host, port = _origin_of(server)
        if not any(_Origin.parse(item).matches(scheme, host, port) for item in self.hosts):
            raise McpNotAllowed(
                server=server.name,
                reason=f"its origin {scheme}://{host}:{port} is not on the list.",
                setting="AGENTOS_MCP_HOSTS",
            )

    def _check_program(self, server: McpServer) -> None:
        line = (server.command or "", *server.args)
        if not any(line_fits(words_of(command), line) for command in self.commands):
            raise McpNotAllowed(
                server=server.name,
                reason="its command line is not on the list.",
                setting="AGENTOS_MCP_COMMANDS",
            )
        if foreign := sorted(set(server.env) - set(self.env)):
            raise McpNotAllowed(
                server=server.name,
                reason=f"the variables {', '.join(foreign)} are not on the list.",
                setting="AGENTOS_MCP_ENV",
            )
        if server.cwd is not None:
            raise McpNotAllowed(
                server=server.name,
                reason="a working folder (cwd) may be chosen only where any command is allowed.",
                setting="AGENTOS_MCP_COMMANDS",
            )


@dataclass(frozen=True, slots=True)
class _Origin:
    """``host`` may be ``*`` or begin with ``*.``; a port of None is any."""

    scheme: str
    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _ORIGIN.fullmatch(text.strip().lower())
        if match is None:
            raise BadInput(
                reason=f"{text!r} is not an origin: write a.example, *.a.example:8443 or "
                "http://10.0.0.5:*"
            )
        scheme = match["scheme"] or "https"
        port = match["port"] or PORTS[scheme]
        return cls(scheme, match["host"].strip("[]"), None if port == _ANY else int(port))

    @property
    def tells_address(self) -> bool:
        try:
            ip_address(self.host)
        except ValueError:
            return self.host == "localhost"
        return True

    def matches(self, scheme: str, host: str, port: int) -> bool:
        if self.scheme != scheme or self.port not in (None, port):
            return False
        if self.host.startswith(_ANY):
            return host.endswith(self.host[1:])
        return host == self.host


def _origin_of(server: McpServer) -> tuple[str, str, int]:
    parts = urlsplit(server.url or "")
    return parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme]


def words_of(command: str) -> tuple[str, ...]:
    """As a shell takes a command line apart. Raises ``BadInput``."""
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise BadInput(reason=f"the command line {command!r} cannot be read: {error}") from error
    if not words:
        raise BadInput(reason="the command line is empty")
    return words


def line_fits(allowed: tuple[str, ...], line: tuple[str, ...]) -> bool:
    """Whether a command line is ``allowed``, of which a last ``*`` takes any further arguments."""
    if allowed[-1] == _ANY:
        return line[: len(allowed) - 1] == allowed[:-1]
    return line == allowed
