"""Which API a command talks to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the API is; kept in the context of every command."""

    url: str
    api_key: str | None
