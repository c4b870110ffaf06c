"""Messages, and the fields around them, that have another shape than they should."""

import json
from typing import Any

from tests.doubles.model_server import Json
from tests.doubles.odd_models.base import (
    ASSISTANT,
    BOTH,
    CALL,
    LISTED,
    MADE,
    OTHER,
    USAGE,
    WRITE,
    WRITTEN,
    Odd,
    asking,
    chunk,
    document,
    piece,
    sending,
    stream,
    whole,
    writing,
)

_OTHER = json.dumps(OTHER)
_COMPLETION: Json = {"choices": [{"finish_reason": "tool_calls", "message": ASSISTANT}]}
_END = chunk({}, "stop")
_USELESS: Json = {"choices": None}


def _said(*deltas: Json, text: str, **odd: Any) -> Odd:
    """Only text, after which the model is to be told that it called nothing."""
    return Odd([sending(stream(*(chunk(delta) for delta in deltas), _END))], text=text, **odd)


def _counted(usage: object) -> Odd:
    """A call, and this in place of a count of tokens."""
    return Odd(
        [
            sending(
                stream(chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls") | {"usage": usage})
            )
        ],
        MADE,
    )


def _message(**fields: Any) -> Odd:
    """A whole message with these fields."""
    text = fields.pop("text", "")
    return Odd([document({"choices": [{"message": fields, "finish_reason": "stop"}]})], text=text)


TABLE: dict[str, Odd] = {
    "usage: null in every chunk": Odd(
        [
            sending(
                stream(
                    chunk({"tool_calls": [CALL]}) | {"usage": None},
                    chunk({}, "tool_calls") | {"usage": None},
                )
            )
        ],
        MADE,
    ),
    "usage: numbers as texts": _counted({"prompt_tokens": "11", "completion_tokens": "7"}),
    "usage: fractions, and less than nothing": _counted(
        {"prompt_tokens": 11.5, "completion_tokens": -1, "prompt_tokens_details": [1]}
    ),
    "usage: a list": _counted([11, 7]),
    "usage: more than any model reads": _counted(
        {"prompt_tokens": 10**30, "completion_tokens": 10**30}
    ),
    "a message without a role": Odd(
        [document({"choices": [{"message": {"tool_calls": [CALL]}, "finish_reason": "stop"}]})],
        MADE,
    ),
    "delta: null beside the end": Odd(
        [
            sending(
                stream(
                    chunk({"tool_calls": [CALL]}),
                    {"choices": [{"index": 0, "delta": None, "finish_reason": "tool_calls"}]},
                )
            )
        ],
        MADE,
    ),
    "choices: null in the middle": Odd(
        [
            sending(
                stream({"choices": None}, chunk({"tool_calls": [CALL]}), {"choices": None}, _END)
            )
        ],
        MADE,
    ),
    "choices: the only one without its list": Odd(
        [document({"choices": {"message": ASSISTANT, "finish_reason": "tool_calls"}})], MADE
    ),
    "content: false": _message(content=False, tool_calls=None),
    "content: a number": _message(content=42, text="42"),
    "content: a list of texts": _message(content=["I write ", "it."], text="I write it."),
    "content: one part without its list": _message(
        content={"type": "text", "text": "I write it."}, text="I write it."
    ),
    "content: the text of a part in an object": _message(
        content=[{"type": "text", "text": {"value": "I write it.", "annotations": []}}],
        text="I write it.",
    ),
    "content: null among the parts": _message(
        content=[None, {"type": "text", "text": None}, {"type": "text", "text": "Yes"}], text="Yes"
    ),
    "content: half a character, escaped": Odd(
        [sending(stream('data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}', _END))], text="a?"
    ),
    "content: halves of a character in two chunks": Odd(
        [
            sending(
                stream(
                    'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}',
                    'data: {"choices":[{"delta":{"content":"\\ude00"}}]}',
                    _END,
                )
            )
        ],
        text="a??",
    ),
    "a refusal in place of content": _message(
        content=None, refusal="I will not.", text="I will not."
    ),
    "a refusal among the parts": _message(
        content=[{"type": "refusal", "refusal": "I will not."}], text="I will not."
    ),
    "audio: the words of what was spoken": _message(
        content=None,
        audio={"id": "a1", "data": "AAAA", "transcript": "I write it."},
        text="I write it.",
    ),
    "a completion of the older kind": Odd(
        [document({"choices": [{"text": "I write it.", "finish_reason": "stop"}]})],
        text="I write it.",
    ),
    "function_call: an empty object beside text": _said(
        {"content": "Yes", "function_call": {}}, text="Yes"
    ),
    "function_call: null and tool_calls: null": _said(
        {"content": "Yes", "function_call": None, "tool_calls": None}, text="Yes"
    ),
    "tool_calls: an empty object, then none": _said(
        {"content": "Yes", "tool_calls": [{}]}, {"tool_calls": []}, text="Yes"
    ),
    "tool_calls: the only one without its list": Odd(
        [document({"choices": [{"message": {"tool_calls": CALL}, "finish_reason": "stop"}]})], MADE
    ),
    "tool_calls: by their numbers": Odd(
        [
            document(
                {
                    "choices": [
                        {
                            "message": {
                                "tool_calls": {
                                    "0": CALL,
                                    "1": piece("write_file", _OTHER, id="w2", index=1),
                                }
                            },
                            "finish_reason": "stop",
                        }
                    ]
                }
            )
        ],
        BOTH,
    ),
    "tool_calls: null among them": Odd(
        [sending(stream(chunk({"tool_calls": [None, CALL]}), chunk({}, "tool_calls")))], MADE
    ),
    "indices with gaps": Odd(
        [
            asking(
                piece("write_file", "", id="g1", index=3),
                piece("write_file", "", id="g2", index=7),
                piece(None, WRITTEN, index=3),
                piece(None, _OTHER, index=7),
            )
        ],
        BOTH,
    ),
    "indices as texts": Odd(
        [
            asking(
                piece("write_file", "", id="g1", index="0"),
                piece("write_file", "", id="g2", index="1"),
                piece(None, WRITTEN, index="0"),
                piece(None, _OTHER, index="1"),
            )
        ],
        BOTH,
    ),
    "one index below zero for all": Odd(
        [asking(CALL | {"index": -1}, piece("write_file", _OTHER, id="w2", index=-1))], BOTH
    ),
    "ids that are numbers": Odd(
        [asking(CALL | {"id": 1}, piece("write_file", _OTHER, id=2, index=1))], BOTH
    ),
    "a call of the kind custom": Odd(
        [
            asking(
                {
                    "index": 0,
                    "id": "c1",
                    "type": "custom",
                    "custom": {"name": "write_file", "input": WRITTEN},
                }
            )
        ],
        MADE,
    ),
    "arguments under another name": Odd(
        [asking({"index": 0, "id": "c1", "function": {"name": "write_file", "parameters": WRITE}})],
        MADE,
    ),
    "arguments: a list with the object": Odd([asking(piece("write_file", [WRITE], id="a1"))], MADE),
    "arguments: false for none": Odd([asking(piece("list_files", False, id="a1"))], told="object"),
    "a name with blanks around it": Odd([asking(piece(" write_file\n", WRITTEN, id="n1"))], MADE),
    "a name in capitals": Odd([asking(piece("Write_File", WRITTEN, id="n1"))], MADE),
    "a name as a path": Odd([asking(piece("tools/write_file", WRITTEN, id="n1"))], MADE),
    "thoughts: in the field thinking": Odd(
        [asking(CALL, said=[{"thinking": "I need "}, {"thinking": "a file."}])],
        MADE,
        sent_back={"thinking": "I need a file."},
    ),
    "thoughts: in the field thought": Odd(
        [asking(CALL, said=[{"thought": "Hm."}])], MADE, sent_back={"thought": "Hm."}
    ),
    "thoughts: an object": Odd(
        [asking(CALL, said=[{"reasoning": {"content": "Hm."}}])],
        MADE,
        sent_back={"reasoning": {"content": "Hm."}},
    ),
    "thoughts: null in each chunk": _said(
        {"content": "Y", "reasoning_content": None}, {"content": "es", "reasoning": ""}, text="Yes"
    ),
    "the end: an empty text": Odd(
        [sending(stream(chunk({"tool_calls": [CALL]}), chunk({}, "")))], MADE
    ),
    "the end: length after a whole call": Odd([writing(WRITTEN, "length")], MADE),
    "the end: content_filter in the middle of a call": Odd(
        [writing(WRITTEN[:9], "content_filter")], error="content filter"
    ),
    "the end: twice, and different": Odd(
        [sending(stream(chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls"), _END, USAGE))], MADE
    ),
    "the end: a number": Odd(
        [sending(stream(chunk({"tool_calls": [CALL]}), chunk({}, 1)))],  # type: ignore[arg-type]
        MADE,
    ),
    "no [DONE]": Odd(
        [
            sending(
                stream(chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls"), USAGE, done=False)
            )
        ],
        MADE,
    ),
    "[DONE] twice": Odd(
        [sending(stream(chunk({"tool_calls": [CALL]}), _END, "data: [DONE]", "data: [DONE]"))], MADE
    ),
    "an error in the middle of a call": Odd(
        [
            sending(
                stream(
                    chunk({"tool_calls": [piece("write_file", WRITTEN[:9], id="w1")]}),
                    {"error": {"message": "engine died", "code": 500}},
                )
            )
        ],
        error="engine died",
        is_retried=True,
    ),
    "a completion in a list": Odd([document([_COMPLETION])], MADE),
    "a completion in a text": Odd([document(json.dumps(_COMPLETION))], MADE),
    "chunks in texts": Odd(
        [
            sending(
                stream(
                    *(
                        f"data: {json.dumps(json.dumps(item))}"
                        for item in (chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls"))
                    )
                )
            )
        ],
        MADE,
    ),
    "cloudflare: a completion as the result": Odd(
        [document({"result": _COMPLETION, "success": True, "errors": [], "messages": []})], MADE
    ),
    "a gateway: a completion as the data": Odd(
        [document({"code": 0, "msg": "ok", "data": _COMPLETION})], MADE
    ),
    "a gateway: an error in the data": Odd(
        [document({"data": {"error": {"message": "quota of the channel", "code": 503}}})],
        error="quota of the channel",
        is_retried=True,
    ),
    "no-argument calls whose arguments are null": Odd(
        [asking({"index": 0, "id": "n1", "function": {"name": "list_files", "arguments": None}})],
        [LISTED],
    ),
    "numbers that JSON does not have": Odd(
        [
            sending(
                whole(ASSISTANT).replace('"finish_reason"', '"score": NaN, "finish_reason"'),
                "application/json",
            )
        ],
        MADE,
    ),
}
