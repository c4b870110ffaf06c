"""What a call of a tool gave."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class McpFile:
    """``name`` is safe anywhere: letters, digits, ``.``, ``_`` and ``-``; unique in its result."""

    name: str
    mime_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class McpResult:
    """``is_error``: the tool, or the server, says that it did not do what was asked."""

    text: str
    files: tuple[McpFile, ...] = ()
    is_error: bool = False
