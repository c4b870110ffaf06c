"""Language models behind any server that speaks OpenAI's Chat Completions."""

from activities.llm.base import (
    Answer,
    ChatMessage,
    ModelOptions,
    Price,
    Timeouts,
    ToolRequest,
    ToolSpec,
    Usage,
)
from activities.llm.models import Models

__all__ = [
    "Answer",
    "ChatMessage",
    "ModelOptions",
    "Models",
    "Price",
    "Timeouts",
    "ToolRequest",
    "ToolSpec",
    "Usage",
]
