"""Where a secret may go: to one origin, or to one program."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from activities.tools.mcp.policy import PORTS, line_fits, words_of
from workflows.definitions.mcp_server import McpServer
from workflows.errors import BadInput


@dataclass(frozen=True, slots=True)
class Target:
    """``text`` is an origin, such as ``https://tracker.example.com`` or ``http://10.0.0.5:8080``,
    or a command line as in AGENTOS_MCP_COMMANDS: one that ends with ``*`` takes any further
    arguments."""

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``BadInput``."""
        text = text.strip()
        if "://" not in text:
            if words_of(text) == ("*",):
                raise BadInput(reason="name the program that may be given the secret")
            return cls(text)
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        is_bare = not (parts.query or parts.fragment or parts.username)
        is_origin = parts.path in {"", "/"} and is_bare
        if parts.scheme not in PORTS or not parts.hostname or "*" in text or not is_origin:
            raise BadInput(
                reason=f"{text[:100]!r} is not an origin: write https://host or https://host:port"
            )
        return cls(_origin(parts.scheme, parts.hostname, port))

    def fits(self, server: McpServer) -> bool:
        if server.transport == "http":
            parts = urlsplit(server.url or "")
            return self.text == _origin(parts.scheme, parts.hostname or "", parts.port)
        is_program = "://" not in self.text
        return is_program and line_fits(words_of(self.text), (server.command or "", *server.args))


def _origin(scheme: str, host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port or PORTS[scheme]}"
