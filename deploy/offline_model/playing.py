"""Sending replies: at a pace, and as badly as a script asks for."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from deploy.offline_model import chunks
from deploy.offline_model.reply import Reply
from deploy.offline_model.scripts import Answer, Raw, Refusal, ScriptedReply, Silence
from deploy.offline_model.wire import ChatRequest

EVENT_STREAM = "text/event-stream"

Ending = Literal["complete", "drop", "hang"]
Drop = Callable[[Request], None]


def send_reply(chat: ChatRequest, reply: Reply, pause_seconds: float) -> Response:
    """An answer of the rules, with a pause after each piece when it is streamed."""
    counted = chunks.count(chat, reply)
    if not chat.stream:
        return JSONResponse(chunks.completion(chat, reply, counted))
    events = [*map(chunks.event, chunks.stream(chat, reply, counted)), chunks.DONE]
    return StreamingResponse(_paced(events, pause_seconds), media_type=EVENT_STREAM)


async def play(
    scripted: ScriptedReply, chat: ChatRequest, request: Request, drop: Drop
) -> Response:
    """The answer of a script; ``drop`` cuts the connection of a request."""
    await asyncio.sleep(scripted.delay_seconds)
    match scripted:
        case Refusal():
            return error_response(
                scripted.status,
                scripted.message,
                kind=scripted.type,
                code=scripted.code,
                param=scripted.param,
                headers=scripted.headers,
            )
        case Raw():
            body = _ended(_paced([scripted.body], 0), scripted.ending, request, drop)
            return StreamingResponse(body, scripted.status, scripted.headers)
        case Silence():
            if scripted.kind == "drop":
                drop(request)
            return _NoResponse()
        case Answer():
            return _play_answer(scripted, chat, request, drop)


def error_response(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """An error in OpenAI's shape."""
    error = {"message": message, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status, headers)


def _play_answer(scripted: Answer, chat: ChatRequest, request: Request, drop: Drop) -> Response:
    reply = scripted.reply
    counted = chunks.count(chat, reply) if scripted.usage is None else scripted.usage or None
    if not chat.stream:
        text = json.dumps(chunks.completion(chat, reply, counted))
        body = _ended(_paced([text], 0), scripted.ending, request, drop)
        return StreamingResponse(body, media_type="application/json")
    events = [chunks.event(document) for document in chunks.stream(chat, reply, counted)]
    if scripted.ending == "complete":
        events.append(chunks.DONE)
    else:  # it never comes to say why it ended
        closing = 1 + (counted is not None and chunks.wants_usage(chat))
        events = events[:-closing]
    body = _ended(_paced(events, scripted.pause_seconds), scripted.ending, request, drop)
    return StreamingResponse(body, media_type=EVENT_STREAM)


async def _paced(parts: Iterable[str], pause_seconds: float) -> AsyncIterator[str]:
    for part in parts:
        yield part
        if pause_seconds:
            await asyncio.sleep(pause_seconds)


async def _ended(
    parts: AsyncIterator[str], ending: Ending, request: Request, drop: Drop
) -> AsyncIterator[str]:
    async for part in parts:
        yield part
    if ending == "drop":
        drop(request)
    if ending != "complete":
        await asyncio.Event().wait()  # until the client has gone, which cancels this


class _NoResponse(Response):
    """Says nothing until the client has gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
