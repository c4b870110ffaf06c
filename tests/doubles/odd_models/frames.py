"""The bytes around an answer."""

import json

from tests.doubles.odd_models.base import (
    ASSISTANT,
    CALL,
    MADE,
    STREAMED,
    USAGE,
    Odd,
    chunk,
    sending,
    stream,
    whole,
)

_CHUNKS = [chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls")]
_BODY = whole(ASSISTANT)
_AZURE = {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}


def _framed(body: str | bytes, content_type: str = "text/event-stream", *cuts: int) -> Odd:
    return Odd([sending(body, content_type, cuts=cuts)], MADE)


TABLE: dict[str, Odd] = {
    "a whole completion as text/plain": _framed(_BODY, "text/plain; charset=utf-8"),
    "a whole completion as a stream of events": _framed(_BODY),
    "a stream of events as JSON": _framed(STREAMED, "application/json"),
    "a whole completion behind a byte order mark": _framed(b"\xef\xbb\xbf" + _BODY.encode()),
    "a stream behind a byte order mark": _framed(b"\xef\xbb\xbf" + STREAMED.encode()),
    "a byte order mark in pieces": _framed(
        b"\xef\xbb\xbf" + STREAMED.encode(), "text/event-stream", 1, 2
    ),
    "lines that end with CR": _framed(stream(*_CHUNKS, newline="\r")),
    "lines that end with CR LF": _framed(stream(*_CHUNKS, newline="\r\n")),
    "CR and LF in two pieces": _framed(
        (crlf := stream(*_CHUNKS, newline="\r\n")),
        "text/event-stream",
        *(place + 1 for place, sign in enumerate(crlf) if sign == "\r"),
    ),
    "openrouter: comments first": _framed(stream(": OPENROUTER PROCESSING", *_CHUNKS)),
    "deepseek: blank lines before a whole completion": _framed(
        "\n\n\n" + _BODY, "application/json"
    ),
    "deepseek: comments that keep it alive": _framed(
        stream(": keep-alive", ": keep-alive", *_CHUNKS)
    ),
    "signs of life that are no JSON": _framed(
        stream("event: ping\ndata: pong", "data:", *_CHUNKS, "data: bye")
    ),
    "azure: no choices in the first chunk": _framed(stream(_AZURE, *_CHUNKS, USAGE)),
    "data: written twice": _framed(STREAMED.replace("data: {", "data: data: {")),
    "no blank after data:": _framed(STREAMED.replace("data: ", "data:")),
    "a line of JSON for each chunk": _framed(
        "\n".join(map(json.dumps, _CHUNKS)), "application/x-ndjson"
    ),
    "events with names and ids": _framed(
        STREAMED.replace("data: {", "event: completion\nid: 7\ndata: {")
    ),
    "a whole completion that does not say why it ended": _framed(
        json.dumps({"choices": [{"message": ASSISTANT}]}), "application/json"
    ),
}
