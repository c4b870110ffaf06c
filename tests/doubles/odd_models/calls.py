"""Calls: how they are told apart, and whose they are."""

import json

from tests.doubles.odd_models.base import (
    ASSISTANT,
    BOTH,
    CALL,
    FINE,
    LISTED,
    MADE,
    OTHER,
    WRITE,
    WRITTEN,
    Odd,
    asking,
    chunk,
    piece,
    sending,
    stream,
    whole,
    writing,
)

_OTHER = json.dumps(OTHER)
_HALF, _REST = WRITTEN[:9], WRITTEN[9:]
_LEGACY = {"name": "write_file", "arguments": WRITTEN}


def _named(name: str) -> Odd:
    return Odd([asking(piece(name, WRITTEN, id="n1"))], MADE)


TABLE: dict[str, Odd] = {
    "two of one tool, without index and id, in pieces": Odd(
        [
            asking(
                piece("write_file", "", index=None),
                piece(None, _HALF, index=None),
                piece(None, _REST, index=None),
                piece("write_file", "", index=None),
                piece(None, _OTHER, index=None),
                finish="stop",
            )
        ],
        BOTH,
    ),
    "two of one tool, one index for all, without id, in pieces": Odd(
        [
            asking(
                piece("write_file", ""),
                piece(None, WRITTEN),
                piece("write_file", ""),
                piece(None, _OTHER),
            )
        ],
        BOTH,
    ),
    "one tool twice without arguments, one index for all, without id": Odd(
        [asking(piece("list_files", ""), piece("list_files", ""), piece("write_file", WRITTEN))],
        [LISTED, LISTED, *MADE],
    ),
    "a name that is in every piece is one call": Odd(
        [
            asking(
                piece("write_file", ""),
                piece("write_file", _HALF),
                piece("write_file", _REST),
                piece("write_file", ""),
            )
        ],
        MADE,
    ),
    "ollama: whole calls, index 0 for all": Odd(
        [asking(CALL, piece("write_file", _OTHER, id="w2"))], BOTH
    ),
    "one index for all, told apart by id alone, interleaved": Odd(
        [
            asking(
                piece("write_file", _HALF, id="i1"),
                piece("write_file", _OTHER[:9], id="i2"),
                piece(None, _REST, id="i1"),
                piece(None, _OTHER[9:], id="i2"),
            )
        ],
        BOTH,
    ),
    "one id for all": Odd([asking(CALL, piece("write_file", _OTHER, id="w1", index=1))], BOTH),
    "one id and index for all": Odd([asking(CALL, piece("write_file", _OTHER, id="w1"))], BOTH),
    "a call sent once more as a whole": Odd([asking(CALL, CALL)], MADE),
    "a call sent once more under another index": Odd([asking(CALL, CALL | {"index": 1})], MADE),
    "the stream, then the whole message": Odd(
        [
            sending(
                stream(
                    chunk({"content": "I write it."}),
                    chunk({"tool_calls": [CALL]}),
                    {"choices": [{"message": ASSISTANT | {"content": "I write it."}}]},
                    chunk({}, "tool_calls"),
                )
            )
        ],
        MADE,
        text="I write it.",
    ),
    "a name in two pieces": Odd(
        [asking(piece("write", "", id="v1"), piece("_file", ""), piece(None, WRITTEN))], MADE
    ),
    "a name in three pieces, without id": Odd(
        [asking(piece("write", ""), piece("_", ""), piece("file", ""), piece(None, WRITTEN))], MADE
    ),
    "copilot: text in one choice, the call in the next": Odd(
        [
            sending(
                whole({"role": "assistant", "content": "I write it."}, ASSISTANT | {"content": ""}),
                "application/json",
            )
        ],
        MADE,
        text="I write it.",
    ),
    "copilot: the same in a stream": Odd(
        [
            sending(
                stream(
                    chunk({"content": "I write it."}),
                    chunk({"tool_calls": [CALL]}, index=1),
                    chunk({}, "tool_calls", index=1),
                )
            )
        ],
        MADE,
        text="I write it.",
    ),
    "two answers where one was asked for": Odd(
        [sending(whole(ASSISTANT | {"content": "A"}, ASSISTANT | {"content": "B"}))],
        MADE,
        text="A",
    ),
    "legacy: function_call in pieces": Odd(
        [
            sending(
                stream(
                    chunk({"function_call": {"name": "write_file", "arguments": ""}}),
                    chunk({"function_call": {"arguments": WRITTEN}}),
                    chunk({}, "function_call"),
                )
            )
        ],
        MADE,
    ),
    "legacy: function_call in a whole message": Odd(
        [sending(whole({"role": "assistant", "function_call": _LEGACY}, finish="function_call"))],
        MADE,
    ),
    "claude: the call among the parts of the content": Odd(
        [
            sending(
                whole(
                    {
                        "role": "assistant",
                        "content": [
                            {"type": "text", "text": "I write it."},
                            {"type": "tool_use", "id": "t1", "name": "write_file", "input": WRITE},
                        ],
                    }
                )
            )
        ],
        MADE,
        text="I write it.",
    ),
    "a name in two pieces, two calls, without index and id": Odd(
        [
            asking(
                *(piece(part, "", index=None) for part in ("write", "_file")),
                piece(None, WRITTEN, index=None),
                *(piece(part, "", index=None) for part in ("write", "_file")),
                piece(None, _OTHER, index=None),
            )
        ],
        BOTH,
    ),
    "a call without an id, then the same with one": Odd([asking(CALL | {"id": None}, CALL)], MADE),
    "arguments that are an object": Odd(
        [asking(piece("write_file", json.loads(WRITTEN), id="a1"))], MADE
    ),
    "a call without the object function": Odd(
        [asking({"index": 0, "id": "f1", "name": "write_file", "arguments": WRITTEN})], MADE
    ),
    "gemini: the name with default_api": _named("default_api.write_file"),
    "kimi: the name with functions and a number": _named("functions.write_file:0"),
    "gpt-oss: the name with a channel after it": _named("write_file<|channel|>commentary"),
    "deepseek: the name with a separator after it": _named("write_file<\uff5ctool\u2581sep\uff5c>"),
    "hermes: the name in a tag": _named("<function=write_file>"),
    "the name with a namespace and single underscores": _named("functions_write_file"),
    "the name in quotes": _named('"write_file"'),
    "a name of nothing that was offered": Odd(
        [asking(piece("write_files", WRITTEN, id="n1"))], told="'write_files'"
    ),
    "text: a call between tags": Odd(
        [
            sending(
                stream(chunk({"content": f"<tool_call>{_LEGACY}</tool_call>"}), chunk({}, "stop"))
            )
        ],
        text=f"<tool_call>{_LEGACY}</tool_call>",
        told="<tool_call>",
    ),
    "text: only thoughts": Odd(
        [sending(stream(chunk({"content": "<think>I should write"}), chunk({}, "stop")))],
        text="<think>I should write",
        told="<think>",
    ),
    "arguments behind an empty object": Odd(
        [
            asking(
                piece("write_file", "{}", id="b1"),
                piece(None, WRITTEN[:10]),
                piece(None, WRITTEN[10:]),
            )
        ],
        MADE,
    ),
    "arguments behind null": Odd([writing("null" + WRITTEN)], MADE),
    "null for no arguments": Odd([asking(piece("list_files", "null", id="n1"))], [LISTED]),
    "arguments as a string of JSON": Odd([writing(json.dumps(WRITTEN))], MADE),
    "arguments as a string of a string": Odd([writing(json.dumps(json.dumps(WRITTEN)))], MADE),
    "arguments in a fence": Odd([writing(f"```json\n{WRITTEN}\n```")], MADE),
    "arguments with a template's token after them": Odd([writing(f"{WRITTEN}<|im_end|>")], MADE),
    "arguments with a closing tag after them": Odd([writing(f"{WRITTEN}\n</tool_call>")], MADE),
    "arguments twice": Odd([writing(WRITTEN + WRITTEN)], MADE),
    "arguments with a brace too many": Odd([writing(WRITTEN + "}")], MADE),
    "arguments in a list": Odd([writing(f"[{WRITTEN}]")], MADE),
    "arguments with raw newlines in them": Odd(
        [writing('{"name": "a.txt", "text": "one\ntwo"}')],
        [("write_file", {"name": "a.txt", "text": "one\ntwo"})],
    ),
    "arguments that are cut off": Odd([writing(WRITTEN[:-3])], told="not valid JSON"),
    "a cut-off string of JSON": Odd([writing(json.dumps(WRITTEN[:-3]))], told="JSON object"),
    "two different objects": Odd([writing(WRITTEN + _OTHER)], told="not valid JSON"),
    "as it should be": Odd([FINE], MADE),
}
