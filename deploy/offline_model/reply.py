"""What a model answers: text, and calls of tools."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """``arguments`` is an object, or a text that may be anything but JSON."""

    tool: str
    arguments: Mapping[str, Any] | str
    id: str | None = None

    @property
    def text(self) -> str:
        if isinstance(self.arguments, str):
            return self.arguments
        return json.dumps(dict(self.arguments), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """``chunks`` is the text as it is to be streamed; None for pieces of about a word."""

    text: str
    calls: tuple[Call, ...] = ()
    chunks: tuple[str, ...] | None = None
    finish_reason: str | None = None
