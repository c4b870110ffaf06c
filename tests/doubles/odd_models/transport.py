"""HTTP around an answer: statuses, headers, encodings of bodies, and connections that break."""

import gzip
import json
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.doubles.model_server import Act, Exchange
from tests.doubles.odd_models.base import (
    ASSISTANT,
    CALL,
    MADE,
    STREAMED,
    Odd,
    chunk,
    sending,
    stream,
    whole,
)

_BODY = whole(ASSISTANT)
_ACCENTED = stream(chunk({"content": "für 日本 😀"}), chunk({}, "stop"))
_SOON = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)


def _answer(
    body: bytes, status: int = 200, *, length: int | None = None, first: bytes = b"", **headers: str
) -> Act:
    """These bytes after headers with a Content-Length, which is that of the body unless told
    otherwise. ``first`` comes before the status line."""

    async def act(exchange: Exchange) -> None:
        fields = {"content_length": str(len(body) if length is None else length), **headers}
        lines = [f"HTTP/1.1 {status} {status}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        await exchange.raw(first + "\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        if length is not None and length != len(body):
            exchange.drop()

    return act


def _dropped(*pieces: bytes) -> Act:
    """These pieces of a stream; then the connection is reset."""

    async def act(exchange: Exchange) -> None:
        await exchange.head()
        for item in pieces:
            await exchange.send(item)
        exchange.drop()

    return act


def _encoded(body: bytes, encoding: str, kind: str = "text/event-stream") -> Act:
    return _answer(body, content_encoding=encoding, content_type=kind)


def _refused(
    status: int,
    body: object,
    error: str,
    *,
    is_retried: bool = False,
    waits: float | None = None,
    **headers: str,
) -> Odd:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "application/json" if not isinstance(body, bytes) else "text/html"
    answer = _answer(data, status, content_type=kind, **headers)
    return Odd([answer], error=error, is_retried=is_retried, waits=waits)


def _limited(waits: float, body: object = "slow down", **headers: str) -> Odd:
    return _refused(429, {"error": body}, "overloaded", is_retried=True, waits=waits, **headers)


def _broken(*answers: Act, error: str) -> Odd:
    return Odd(answers, error=error, is_retried=True)


def _cuts(text: str) -> Sequence[int]:
    return range(1, len(text.encode()))


TABLE: dict[str, Odd] = {
    "cut after every byte": Odd(
        [sending(_ACCENTED.replace("\\u", "\\u"), cuts=_cuts(_ACCENTED))], text="für 日本 😀"
    ),
    "characters cut in two": Odd(
        [
            sending(
                (raw := 'data: {"choices":[{"delta":{"content":"für 日本 😀"}}]}\n\n')
                + stream(chunk({}, "stop")),
                cuts=_cuts(raw),
            )
        ],
        text="für 日本 😀",
    ),
    "bytes that are no UTF-8": Odd(
        [
            sending(
                b'data: {"choices":[{"delta":{"content":"f\xfcr \xf0\x9f"}}]}\n\n'
                + stream(chunk({}, "stop")).encode()
            )
        ],
        text="f\ufffdr \ufffd",
    ),
    "gzip: a stream": Odd([_encoded(gzip.compress(STREAMED.encode()), "gzip")], MADE),
    "gzip: a whole completion": Odd(
        [_encoded(gzip.compress(_BODY.encode()), "gzip", "application/json")], MADE
    ),
    "deflate: a stream": Odd([_encoded(zlib.compress(STREAMED.encode()), "deflate")], MADE),
    "gzip that was not asked for, and is none": _broken(
        _encoded(STREAMED.encode(), "gzip"), error="the connection broke"
    ),
    "gzip that is not named": _broken(
        _answer(gzip.compress(STREAMED.encode()), content_type="text/event-stream"),
        error="bytes that are no text",
    ),
    "gzip that is cut off": _broken(
        _encoded(gzip.compress(_BODY.encode())[:-30], "gzip", "application/json"),
        error="gave no complete answer",
    ),
    "a small gzip of 64 MiB": _broken(
        _encoded(gzip.compress(b" " * 2**26 + b"x"), "gzip"), error="gave no complete answer"
    ),
    "a line without an end": _broken(
        sending(b"data: " + b"x" * (5 * 2**20)), error="more at once than can be read"
    ),
    "a whole completion of 5 MiB": _broken(
        sending(whole(ASSISTANT | {"content": "x" * (5 * 2**20)}), "application/json"),
        error="more at once than can be read",
    ),
    "an empty body": _broken(_answer(b""), error="gave no complete answer"),
    "no content": _broken(_answer(b"", 204), error="gave no complete answer"),
    "only comments": _broken(sending(": ping\n\n: ping\n\n"), error="middle of the answer"),
    "JSON: null": _broken(
        _answer(b"null", content_type="application/json"), error="HTTP 200: null"
    ),
    "JSON: an empty object": _broken(
        _answer(b"{}", content_type="application/json"), error="gave no complete answer"
    ),
    "JSON: an empty list": _broken(
        _answer(b"[]", content_type="application/json"), error="gave no complete answer"
    ),
    "JSON: no choices": _broken(
        _answer(b'{"id": "x", "choices": []}', content_type="application/json"),
        error="gave no complete answer",
    ),
    "reset after the headers": _broken(_dropped(), error="gave no complete answer"),
    "reset in the middle of a chunk": _broken(
        _dropped(STREAMED.encode()[:60]), error="gave no complete answer"
    ),
    "reset after the end of the answer": Odd(
        [_dropped(stream(chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls")).encode())], MADE
    ),
    "a Content-Length that is too long": _broken(
        _answer(_BODY.encode()[:-10], length=len(_BODY) + 99, content_type="application/json"),
        error="gave no complete answer",
    ),
    "a Content-Length that is too long, for a whole stream": Odd(
        [_answer(STREAMED.encode(), length=len(STREAMED) + 99, content_type="text/event-stream")],
        MADE,
    ),
    "a Content-Length that is too short": _broken(
        _answer(_BODY.encode(), length=len(_BODY) - 9, content_type="application/json"),
        error="gave no complete answer",
    ),
    "early hints before the answer": Odd(
        [
            _answer(
                _BODY.encode(),
                first=b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
                content_type="application/json",
            )
        ],
        MADE,
    ),
    "402 with a list": _refused(402, ["Insufficient credits"], "Insufficient credits"),
    "403 with a list": _refused(403, [{"detail": "Forbidden"}], "Check OPENAI_API_KEY"),
    "403 with a page": _refused(403, b"<html>Forbidden</html>", "Check OPENAI_API_KEY"),
    "404 with a page": _refused(404, b"<html>Not Found</html>", "OPENAI_BASE_URL"),
    "405: the wrong path": _refused(405, {"detail": "Method Not Allowed"}, "OPENAI_BASE_URL"),
    "413 with a page": _refused(413, b"<h1>Request Entity Too Large</h1>", "too long"),
    "498: out of capacity": _refused(
        498, {"error": {"message": "flex capacity exceeded"}}, "flex", is_retried=True
    ),
    "499: the gateway gave up": _refused(499, b"", "HTTP 499", is_retried=True),
    "520: a page of Cloudflare": _refused(
        520, b"<title>Web server is returning an unknown error</title>", "520", is_retried=True
    ),
    "524: a page of Cloudflare": _refused(
        524, b"<title>A timeout occurred</title>", "timeout occurred", is_retried=True
    ),
    "529: overloaded": _refused(529, {"error": None}, "overloaded", is_retried=True),
    "an error that is no UTF-8": _refused(400, b"Ung\xfcltig: \xff", "Ung"),
    "an error in gzip": Odd(
        [
            _answer(
                gzip.compress(b'{"error": {"message": "no such thing"}}'),
                400,
                content_encoding="gzip",
            )
        ],
        error="no such thing",
    ),
    "429: seconds": _limited(7, retry_after="7"),
    "429: a date two hours from now": _limited(300, retry_after=_SOON),
    "429: milliseconds": _limited(1.5, retry_after_ms="1500"),
    "429: openai, groq: time until requests are allowed": _limited(
        90, x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests="1m30s"
    ),
    "429: openai: time until tokens are allowed": _limited(
        0.25, x_ratelimit_remaining_tokens="0", x_ratelimit_reset_tokens="250ms"
    ),
    "429: seconds until the limit is reset": _limited(12, x_ratelimit_reset="12"),
    "429: openrouter: the moment when it is, in milliseconds": _limited(
        300, x_ratelimit_reset=str(round((datetime.now(UTC).timestamp() + 7_200) * 1_000))
    ),
    "429: anthropic: the moment when it is, as a date": _limited(
        300,
        anthropic_ratelimit_requests_remaining="0",
        anthropic_ratelimit_requests_reset=(datetime.now(UTC) + timedelta(hours=2)).isoformat(),
    ),
    "429: gemini: the pause among the details": _limited(
        37,
        {
            "code": 429,
            "message": "Quota exceeded",
            "status": "RESOURCE_EXHAUSTED",
            "details": [
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure"},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s"},
            ],
        },
    ),
    "429: the pause in words": _limited(
        20.5, {"message": "Rate limit reached for gpt. Please try again in 20.5s. Visit ..."}
    ),
    "429: the pause in words, in minutes": _limited(72, {"message": "Please try again in 1m12s."}),
    "429: the pause in capitals": _limited(20, {"message": "TRY AGAIN IN 20S."}),
    "429: the pause with a space in it": _limited(30, {"message": "Please wait for 30 s."}),
    "429: the pause in words of azure": _limited(
        9, {"message": "Exceeded call rate limit. Please retry after 9 seconds."}
    ),
    "429: a pause that makes no sense": Odd(
        [_answer(b"{}", 429, retry_after="soon", x_ratelimit_reset="-", retry_after_ms="NaN")],
        error="overloaded",
        is_retried=True,
    ),
}
