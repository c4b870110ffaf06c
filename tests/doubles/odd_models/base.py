"""How a server answers that is not quite like OpenAI's, byte by byte, and what must come of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.model_server import Act, Exchange, Json

WRITE: Json = {"name": "a.txt", "text": "hi"}
WRITTEN = json.dumps(WRITE)
OTHER: Json = {"name": "b.txt", "text": "ho"}
USAGE: Json = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}}

Wanted = tuple[str, Json]
MADE: Sequence[Wanted] = (("write_file", WRITE),)
BOTH: Sequence[Wanted] = (("write_file", WRITE), ("write_file", OTHER))
LISTED: Wanted = ("list_files", {})


@dataclass(frozen=True)
class Odd:
    """What a server answers, and what must come of it.

    ``calls`` are made; ``told`` is in what the model reads of a call that is not, or of none;
    ``error`` is in the message of the error, which is retried if ``is_retried``, after ``waits``
    seconds where the server has named a pause. ``sent_back`` are
    fields of the answer's message in the next request, and ``sent_with_calls`` those of its calls.
    """

    answers: Sequence[Act]
    calls: Sequence[Wanted] = ()
    text: str = ""
    told: str = ""
    error: str = ""
    is_retried: bool = False
    waits: float | None = None
    sent_back: Mapping[str, Any] = field(default_factory=dict)
    sent_with_calls: Sequence[Mapping[str, Any]] = ()


def sending(
    body: bytes | str,
    content_type: str = "text/event-stream",
    status: int = 200,
    cuts: Sequence[int] = (),
) -> Act:
    """These bytes and no others, in one piece or cut at these places."""
    data = body.encode() if isinstance(body, str) else body

    async def act(exchange: Exchange) -> None:
        await exchange.head(status, content_type=content_type)
        start = 0
        for cut in (*cuts, len(data)):
            if data[start:cut]:
                await exchange.send(data[start:cut])
            start = cut
        await exchange.end()

    return act


def chunk(delta: Json, finish: str | None = None, index: int = 0, **more: Any) -> Json:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish, **more}]}


def stream(*chunks: Json | list[Json] | str, newline: str = "\n", done: bool = True) -> str:
    """Events of these; a text stands for itself."""
    lines = [item if isinstance(item, str) else f"data: {json.dumps(item)}" for item in chunks]
    if done:
        lines.append("data: [DONE]")
    return "".join(f"{line}{newline}{newline}" for line in lines)


def piece(name: str | None = None, arguments: object = None, **more: Any) -> Json:
    """A piece of a call, under index 0 unless told otherwise; what is None is not there."""
    function = {"name": name, "arguments": arguments}
    given = {key: value for key, value in function.items() if value is not None}
    fields = {"index": 0, **more, "function": {**given, **more.get("function", {})}}
    return {key: value for key, value in fields.items() if value is not None}


CALL = piece("write_file", WRITTEN, id="w1")


def asking(*pieces: Json, finish: str | None = "tool_calls", said: Sequence[Json] = ()) -> Act:
    """A stream of these deltas, then of a chunk for each piece of a call."""
    begun = [chunk(delta) for delta in said]
    asked = [chunk({"tool_calls": [item]}) for item in pieces]
    return sending(stream(*begun, *asked, chunk({}, finish), USAGE))


def whole(*messages: Json, finish: str = "tool_calls", **more: Any) -> str:
    """A completion that is not streamed, with a choice for each message."""
    choices = [{"finish_reason": finish, "message": item} for item in messages]
    return json.dumps({"choices": choices, **more})


def writing(arguments: str, finish: str = "tool_calls") -> Act:
    """One call of ``write_file`` with these arguments."""
    return asking(piece("write_file", arguments, id="w1"), finish=finish)


def document(body: object, status: int = 200, content_type: str = "application/json") -> Act:
    return sending(json.dumps(body), content_type, status)


FINE = asking(CALL)
STREAMED = stream(chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls"), USAGE)
ASSISTANT: Json = {"role": "assistant", "content": None, "tool_calls": [CALL]}
