"""State that a server wants back as it came."""

from typing import Any

from tests.doubles.model_server import Json
from tests.doubles.odd_models.base import (
    ASSISTANT,
    CALL,
    LISTED,
    MADE,
    WRITTEN,
    Odd,
    asking,
    piece,
    sending,
    whole,
)

_SIGNED: Json = {"google": {"thought_signature": "c2lnLTE="}}
_LITELLM: Json = {"provider_specific_fields": {"thought_signature": "s"}}
_DETAIL: Json = {"type": "reasoning.text", "index": 0}
_BLOCK: Json = {"type": "thinking"}


_PARTS: list[Json] = [
    {"type": "thinking", "thinking": "I need a file.", "signature": "s1"},
    {"type": "redacted_thinking", "data": "AA"},
    {"type": "text", "text": "I write it."},
]


def _thought(text: str) -> Json:
    """A part of Mistral's."""
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def _said(*deltas: Json, **sent_back: Any) -> Odd:
    return Odd([asking(CALL, said=deltas)], MADE, sent_back=sent_back)


TABLE: dict[str, Odd] = {
    "gemini: a signature in a call": Odd(
        [asking(CALL | {"extra_content": _SIGNED}, finish="stop")],
        MADE,
        sent_with_calls=[{"extra_content": _SIGNED}],
    ),
    "gemini: a signature in the first of two calls": Odd(
        [asking(CALL | {"extra_content": _SIGNED}, piece("list_files", "{}", id="g2", index=1))],
        [*MADE, LISTED],
        sent_with_calls=[{"extra_content": _SIGNED}, {}],
    ),
    "gemini: a signature beside the calls": _said(
        {"content": "", "extra_content": _SIGNED}, extra_content=_SIGNED
    ),
    "litellm: a signature in the function": Odd(
        [asking(piece("write_file", WRITTEN, id="l1", function=_LITELLM))],
        MADE,
        sent_with_calls=[{"function": _LITELLM | {"name": "write_file", "arguments": WRITTEN}}],
    ),
    "deepseek, kimi, glm: reasoning_content in pieces": _said(
        {"role": "assistant", "content": None, "reasoning_content": "I need "},
        {"reasoning_content": "a file."},
        reasoning_content="I need a file.",
    ),
    "groq, vllm, ollama: reasoning in pieces": _said(
        {"reasoning": "I need "}, {"reasoning": "a file."}, reasoning="I need a file."
    ),
    "openrouter: reasoning_details in pieces, signed at the end": _said(
        {"reasoning_details": [_DETAIL | {"text": "one "}]},
        {"reasoning_details": [_DETAIL | {"text": "two"}]},
        {"reasoning_details": [_DETAIL | {"signature": "s1"}]},
        reasoning_details=[_DETAIL | {"text": "one two", "signature": "s1"}],
    ),
    "openrouter: encrypted reasoning_details stay apart": _said(
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "AA", "index": 0}]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "BB", "index": 1}]},
        reasoning_details=[
            {"type": "reasoning.encrypted", "data": "AA", "index": 0},
            {"type": "reasoning.encrypted", "data": "BB", "index": 1},
        ],
    ),
    "litellm: thinking_blocks of Claude, signed at the end": _said(
        {"thinking_blocks": [_BLOCK | {"thinking": "I need ", "signature": ""}]},
        {"thinking_blocks": [_BLOCK | {"thinking": "a file.", "signature": ""}]},
        {"thinking_blocks": [_BLOCK | {"thinking": "", "signature": "s1"}]},
        thinking_blocks=[_BLOCK | {"thinking": "I need a file.", "signature": "s1"}],
    ),
    "mistral: thoughts among the parts of the content": Odd(
        [
            asking(
                CALL,
                said=[
                    {"content": [_thought("I need ")]},
                    {"content": [_thought("a file.")]},
                    {"content": "I write it."},
                ],
            )
        ],
        MADE,
        text="I write it.",
        sent_back={
            "content": [_thought("I need a file."), {"type": "text", "text": "I write it."}]
        },
    ),
    "claude: thoughts and text as parts of a whole message": Odd(
        [sending(whole(ASSISTANT | {"content": _PARTS}), "application/json")],
        MADE,
        text="I write it.",
        sent_back={"content": _PARTS},
    ),
    "copilot: reasoning_opaque": _said(
        {"reasoning_text": "Hm."}, {"reasoning_opaque": "b3Bh"}, reasoning_opaque="b3Bh"
    ),
    "whole: reasoning_content beside the calls": Odd(
        [sending(whole(ASSISTANT | {"reasoning_content": "Hm."}), "application/json")],
        MADE,
        sent_back={"reasoning_content": "Hm."},
    ),
    "a part of type reasoning is no text": Odd(
        [
            asking(
                CALL,
                said=[{"content": [{"type": "reasoning", "text": "secretly"}]}, {"content": "Yes"}],
            )
        ],
        MADE,
        text="Yes",
    ),
}
