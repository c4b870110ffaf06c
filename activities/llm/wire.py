"""The body of a Chat Completions request."""

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from activities.llm.base import ChatMessage, ToolRequest, ToolSpec
from activities.llm.names import encode

Body = dict[str, object]


def opaque_names(messages: Sequence[ChatMessage]) -> frozenset[str]:
    """The fields of opaque state that a request with these messages would have."""
    return frozenset(
        name
        for message in messages
        if message.opaque is not None
        for part in (message.opaque.fields, *filter(None, message.opaque.calls))
        for name in part
        if name not in ("content", "function")
    )


def request_body(messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> Body:
    """All but the model and the options of the stream."""
    body: Body = {"messages": [_message(message) for message in messages]}
    if tools:  # OpenAI refuses an empty list.
        body["tools"] = [_tool(tool) for tool in tools]
    return body


def _message(message: ChatMessage) -> Body:
    body: Body = {"role": message.role, "content": message.content}
    opaque = message.opaque
    if message.request_id is not None:
        body["tool_call_id"] = message.request_id
    if message.requests:
        extra = opaque.calls if opaque is not None else ()
        body["content"] = message.content or None
        body["tool_calls"] = [
            _request(request, given or {})
            for request, given in zip_longest(message.requests, extra[: len(message.requests)])
        ]
    return body if opaque is None else {**body, **opaque.fields}


def _request(request: ToolRequest, extra: Mapping[str, Any]) -> Body:
    function = {"name": encode(request.name), "arguments": _arguments(request.arguments)}
    return {
        **extra,
        "id": request.id,
        "type": "function",
        "function": {**extra.get("function", {}), **function},
    }


def _tool(tool: ToolSpec) -> Body:
    function = {
        "name": encode(tool.name),
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def _arguments(text: str) -> str:
    """What the model wrote, as a JSON object: vLLM and llama.cpp refuse a conversation where
    earlier arguments are none. Many models write nothing where a tool takes no arguments."""
    if not text.strip():
        return "{}"
    try:
        if isinstance(json.loads(text), dict):
            return text
    except (ValueError, RecursionError):
        pass
    return json.dumps({"malformed": text})
