"""Replies as the Chat Completions API writes them: whole, or as a stream of chunks."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.offline_model.reply import Call, Reply
from deploy.offline_model.wire import ChatRequest

DONE = "data: [DONE]\n\n"
_TOKEN_CHARACTERS = 4  # what a token of English has on average; nobody pays for these
_PIECE = re.compile(r"\s*\S{1,12}|\s+")

Document = dict[str, Any]


def completion(request: ChatRequest, reply: Reply, counted: Mapping[str, int] | None) -> Document:
    """The answer to a request that does not stream."""
    message: Document = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.calls:
        message["tool_calls"] = [
            _call(call, request, index) for index, call in enumerate(reply.calls)
        ]
    choice = {"index": 0, "message": message, "finish_reason": _reason(reply), "logprobs": None}
    usage = {} if counted is None else {"usage": dict(counted)}
    return {**_head(request, "chat.completion"), "choices": [choice], **usage}


def stream(
    request: ChatRequest, reply: Reply, counted: Mapping[str, int] | None
) -> Iterator[Document]:
    """The same as chunks, with the count of tokens in the last one if it was asked for."""
    yield _chunk(request, {"role": "assistant", "content": ""})
    for piece in _pieces(reply.text) if reply.chunks is None else reply.chunks:
        yield _chunk(request, {"content": piece})
    for index, call in enumerate(reply.calls):
        opened = _call(call, request, index)
        opened["function"]["arguments"] = ""
        yield _chunk(request, {"tool_calls": [{"index": index, **opened}]})
        for piece in _pieces(call.text):
            delta = {"index": index, "function": {"arguments": piece}}
            yield _chunk(request, {"tool_calls": [delta]})
    yield _chunk(request, {}, _reason(reply))
    if counted is not None and wants_usage(request):
        yield {
            **_head(request, "chat.completion.chunk"),
            "choices": [],
            "usage": dict(counted),
        }


def wants_usage(request: ChatRequest) -> bool:
    return request.stream_options is not None and request.stream_options.include_usage


def event(document: Mapping[str, Any]) -> str:
    """A chunk as a server-sent event."""
    return f"data: {json.dumps(document, ensure_ascii=False)}\n\n"


def count(request: ChatRequest, reply: Reply) -> Mapping[str, int]:
    """Tokens by a rule of thumb: four characters each."""
    asked = sum(
        len(message.text) + sum(len(call.function.arguments) for call in message.tool_calls or ())
        for message in request.messages
    )
    answered = len(reply.text) + sum(len(call.text) for call in reply.calls)
    prompt, completed = (-(-length // _TOKEN_CHARACTERS) for length in (asked, answered))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completed,
        "total_tokens": prompt + completed,
    }


def _chunk(
    request: ChatRequest, delta: Mapping[str, Any], finish_reason: str | None = None
) -> Document:
    choice = {"index": 0, "delta": dict(delta), "finish_reason": finish_reason, "logprobs": None}
    return {**_head(request, "chat.completion.chunk"), "choices": [choice]}


def _call(call: Call, request: ChatRequest, index: int) -> Document:
    """A tool call. Its id is the same whenever the request is, and no other call has it."""
    before = sum(len(message.tool_calls or ()) for message in request.messages)
    return {
        "id": call.id or f"call_{before + index}",
        "type": "function",
        "function": {"name": call.tool, "arguments": call.text},
    }


def _pieces(text: str) -> Iterator[str]:
    return (found[0] for found in _PIECE.finditer(text))


def _reason(reply: Reply) -> str:
    return reply.finish_reason or ("tool_calls" if reply.calls else "stop")


def _head(request: ChatRequest, kind: str) -> Document:
    return {
        "id": f"chatcmpl-{len(request.messages)}",
        "object": kind,
        "created": int(time.time()),
        "model": request.model,
    }
