"""The tools that a server offers, as far as they can be taken."""

from dataclasses import dataclass

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class McpTool:
    """``schema`` is that of its arguments; ``is_retry_safe`` is the server's own word.

    One that ``reads_resources`` is none of the server's: we make it, for those that have resources.
    """

    name: str
    description: str
    schema: dict[str, JsonValue]
    is_retry_safe: bool
    reads_resources: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Sorted by name. ``refused`` tells of each tool that was left out, and why."""

    tools: tuple[McpTool, ...]
    refused: tuple[str, ...] = ()


def clean_text(text: str) -> str:
    """What PostgreSQL and UTF-8 cannot hold becomes a replacement character."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
