"""Why an answer ended, in the words of many servers."""

from enum import Enum
from typing import Final


class Ending(Enum):
    """``FAILED``: what came is no answer, whatever it looks like. The model is asked again."""

    WHOLE = "whole"
    CUT = "cut"
    WITHHELD = "withheld"
    FAILED = "failed"


_WORDS: Final = {
    Ending.WHOLE: (
        *("stop", "tool_calls", "function_call", "tool_call", "tool_use", "function_calls"),
        *("end_turn", "stop_sequence", "eos", "eos_token", "stop_token", "end", "done"),
        *("complete", "completed", "finish", "finished", "success", "normal"),
    ),
    Ending.CUT: (
        *("length", "max_tokens", "max_output_tokens", "max_completion_tokens", "model_length"),
        *("token_limit", "max_length", "model_context_window_exceeded"),
    ),
    Ending.WITHHELD: (
        *("content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii"),
        *("sensitive", "refusal", "guardrail_intervened", "content_filtered", "image_safety"),
    ),
}
_ENDINGS: Final = {word: ending for ending, words in _WORDS.items() for word in words}

# What a gateway may hide behind "stop": the reason of the server behind it.
_HIDDEN_FAILURES: Final = frozenset(
    {"malformed_function_call", "unexpected_tool_call", "error", "abort", "other"}
)


def ending_of(reason: str) -> Ending:
    """A reason that nobody knows is no good one: what is new is often a new way to fail."""
    return _ENDINGS.get(reason.strip().lower(), Ending.FAILED)


def hides_failure(reason: str, native: str) -> bool:
    """Whether the server behind a gateway (``native``) tells of a failure where that says stop."""
    told, hidden = ending_of(reason), native.strip().lower()
    if told is not Ending.WHOLE or not hidden:
        return False
    return hidden in _HIDDEN_FAILURES or ending_of(hidden) in (Ending.CUT, Ending.WITHHELD)
