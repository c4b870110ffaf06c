"""How to connect to an MCP server. Secrets appear by name only."""

import hashlib
import re
import shlex
from functools import cached_property
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workflows.definitions.credentials import (
    has_credential_option,
    has_credential_parameter,
    is_credential_name,
    looks_like_credential,
    names_in,
)

PREFIX = "mcp."
NAME_PATTERN = r"^[a-z0-9_-]{1,32}$"
DEFAULT_TIMEOUT_SECONDS = 60.0
LONGEST_TIMEOUT_SECONDS = 3_600.0

_MAX_WORDS = 100
_MAX_PAIRS = 50

# No control character: a line break in a header would begin another one, a NUL ends an argument.
_Word = Annotated[str, Field(max_length=4_096, pattern=r"^[^\x00-\x1f\x7f]*$")]
_EnvName = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_HeaderName = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
_HeaderValue = Annotated[str, Field(max_length=4_096, pattern=r"^[\x20-\x7e]*$")]

# As a shell takes it, before a program: `DEBUG=1 server`.
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")

# Those of the protocol itself and of HTTP's framing are the client's own.
_RESERVED_HEADERS = re.compile(
    r"(?i)host|connection|content-.*|transfer-encoding|accept|accept-encoding|te|upgrade|mcp-.*"
)


class McpServer(BaseModel):
    """A server: a program that speaks over stdin and stdout, or a streamable HTTP URL.

    ``env`` and ``headers`` may hold ``secret:NAME``, alone or within a value, such as
    ``Bearer secret:GITHUB``: its value is looked up when the connection is made.
    ``timeout_seconds`` is how long a call may take without a sign of progress.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME_PATTERN)
    transport: Literal["stdio", "http"]
    command: _Word | None = Field(default=None, min_length=1)
    args: tuple[_Word, ...] = Field(default=(), max_length=_MAX_WORDS)
    env: dict[_EnvName, _Word] = Field(default={}, max_length=_MAX_PAIRS)
    cwd: _Word | None = Field(default=None, pattern=r"^/")
    url: _Word | None = None
    headers: dict[_HeaderName, _HeaderValue] = Field(default={}, max_length=_MAX_PAIRS)
    timeout_seconds: float = Field(
        default=DEFAULT_TIMEOUT_SECONDS, ge=1, le=LONGEST_TIMEOUT_SECONDS, allow_inf_nan=False
    )

    @field_validator("command", "args")
    @classmethod
    def _has_no_secret(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        words = (value,) if isinstance(value, str) else value or ()
        if has_credential_option(words) or any(
            names_in(word) or looks_like_credential(word) for word in words
        ):
            raise ValueError(
                "a command line is seen by everybody on the machine: "
                "give the secret in env, as secret:NAME"
            )
        return value

    @field_validator("command")
    @classmethod
    def _is_findable(cls, command: str | None) -> str | None:
        if command is not None and (assigned := _ASSIGNMENT.match(command)):
            raise ValueError(
                f"a program is run, and no shell: give {assigned[1]} as a variable, in env "
                f"(--env {assigned[1]}=VALUE), and the program alone here"
            )
        if command is not None and "/" in command and not command.startswith("/"):
            raise ValueError("write a name that is in PATH, or an absolute path")
        return command

    @field_validator("url")
    @classmethod
    def _is_plain_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write http://host/path or https://host/path")
        has_secret = has_credential_parameter(parts.query) or looks_like_credential(parts.query)
        if has_secret or parts.username is not None or names_in(url):
            raise ValueError("URLs end up in logs: give the secret in headers, as secret:NAME")
        if parts.port == 0 or parts.fragment:
            raise ValueError("a port of 0 or a fragment (#...) leads nowhere")
        return url

    @field_validator("env", "headers")
    @classmethod
    def _holds_no_credential(cls, values: dict[str, str]) -> dict[str, str]:
        for name, value in values.items():
            # Never the value itself: this message goes into answers and logs.
            if not names_in(value) and (is_credential_name(name) or looks_like_credential(value)):
                raise ValueError(
                    f"{name} seems to hold a credential. Set it with `agentos secrets set NAME` "
                    "or as AGENTOS_SECRET_NAME, and write secret:NAME here"
                )
        return values

    @field_validator("headers")
    @classmethod
    def _leaves_reserved_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if _RESERVED_HEADERS.fullmatch(name):
                raise ValueError(f"{name} is set by the client itself")
        return headers

    @model_validator(mode="after")
    def _fits_transport(self) -> Self:
        of_stdio = {"command", "args", "env", "cwd"}
        of_http = {"url", "headers"}
        needed, foreign = ("command", of_http) if self.transport == "stdio" else ("url", of_stdio)
        if getattr(self, needed) is None:
            raise ValueError(f"the transport {self.transport} needs {needed}")
        if wrong := sorted(name for name in foreign if getattr(self, name)):
            raise ValueError(f"the transport {self.transport} has no {', '.join(wrong)}")
        return self

    @property
    def endpoint(self) -> str:
        """The URL, or the command line as one would write it in a shell."""
        return self.url or shlex.join((self.command or "", *self.args))

    @cached_property
    def digest(self) -> str:
        """Of everything that a connection depends on."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def full_name(self) -> str:
        return f"{PREFIX}{self.name}"
