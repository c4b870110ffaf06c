"""Errors, and ends of answers that are not good ones."""

from tests.doubles.odd_models.base import (
    ASSISTANT,
    CALL,
    FINE,
    LISTED,
    MADE,
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

_EXTRA = {
    "type": "extra_forbidden",
    "loc": ["body", "stream_options", "include_usage"],
    "msg": "Extra inputs are not permitted",
    "input": True,
}
_LOOK = [{"content": "Let me look."}]
_CUT = piece("list_files", "", id="e1")


def _ended(reason: str, **choice: object) -> Odd:
    """A call whose arguments had not begun when the answer ended for this reason."""
    said = [chunk(delta) for delta in _LOOK]
    asked = chunk({"tool_calls": [_CUT]})
    answer = stream(*said, asked, chunk({}, reason, **choice))
    return Odd([sending(answer)], error="ended its answer with", is_retried=True)


TABLE: dict[str, Odd] = {
    "mistral: 422 with a structure as message": Odd(
        [document({"object": "error", "message": {"detail": [_EXTRA]}, "code": None}, 422), FINE],
        MADE,
    ),
    "fastapi: 422 with a list as detail": Odd([document({"detail": [_EXTRA]}, 422), FINE], MADE),
    "cohere and others: 400 with a list at the top": Odd(
        [document([{"error": {"message": "Unknown name stream_options"}}], 400), FINE], MADE
    ),
    "a gateway: stream_options refused with status 200": Odd(
        [document({"error": {"message": "stream_options is not supported"}}), FINE], MADE
    ),
    "django: what is wrong, by field": Odd(
        [document({"stream_options": ["This field is not allowed."]}, 400), FINE], MADE
    ),
    "an error that is only words, with status 200": Odd(
        [sending("Invalid API key", "text/plain")], error="Invalid API key"
    ),
    "gemini: a list of errors in the stream": Odd(
        [
            sending(
                stream([{"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}])
            )
        ],
        error="overloaded",
        is_retried=True,
    ),
    "openrouter: the words of the server behind it": Odd(
        [
            document(
                {
                    "error": {
                        "message": "Provider returned error",
                        "code": 400,
                        "metadata": {"raw": '{"error": {"message": "tool schema is invalid"}}'},
                    }
                },
                400,
            )
        ],
        error="tool schema is invalid",
    ),
    "cloudflare: errors in a list": Odd(
        [document({"success": False, "errors": [{"code": 7003, "message": "No route"}]}, 400)],
        error="No route",
    ),
    "new-api: an invalid key with status 200": Odd(
        [
            document(
                {
                    "error": {
                        "message": "invalid api key for channel 3",
                        "type": "new_api_error",
                        "code": "channel:invalid_key",
                    }
                }
            )
        ],
        error="invalid api key for channel 3",
    ),
    "minimax: a failed login with status 200": Odd(
        [
            document(
                {"choices": None, "base_resp": {"status_code": 1004, "status_msg": "login fail"}}
            )
        ],
        error="login fail",
    ),
    "an overload with status 200": Odd(
        [document({"error": {"message": "rate limit reached", "code": "1302"}})],
        error="rate limit reached",
        is_retried=True,
    ),
    "a failure with status 200 that may pass": Odd(
        [document({"code": 500, "msg": "upstream timed out", "success": False})],
        error="upstream timed out",
        is_retried=True,
    ),
    "vllm: an error object in the stream": Odd(
        [sending(stream({"object": "error", "message": "bad schema", "code": 400}))],
        error="bad schema",
    ),
    "anthropic: an event called error": Odd(
        [
            sending(
                'event: error\ndata: {"type": "error", "error": '
                '{"type": "overloaded_error", "message": "Overloaded"}}\n\n'
            )
        ],
        error="Overloaded",
        is_retried=True,
    ),
    "llama.cpp: a field called error": Odd(
        [sending('error: {"code": 500, "message": "slot is gone", "type": "server_error"}\n\n')],
        error="slot is gone",
        is_retried=True,
    ),
    "an event called error that is only text": Odd(
        [sending("event: error\ndata: the worker has died\n\n")],
        error="the worker has died",
        is_retried=True,
    ),
    "a proxy: the error stands bare in the stream": Odd(
        [sending(stream(chunk(_LOOK[0]), '{"error": {"message": "upstream reset"}}', done=False))],
        error="upstream reset",
        is_retried=True,
    ),
    "openrouter: an error in the choice": Odd(
        [
            sending(
                stream(
                    chunk({"content": "Let"}),
                    chunk({}, "error", error={"code": 502, "message": "the provider hung up"}),
                )
            )
        ],
        error="the provider hung up",
        is_retried=True,
    ),
    "azure: a filtered prompt": Odd(
        [
            document(
                {"error": {"code": "content_filter", "message": "The response was filtered"}}, 400
            )
        ],
        error="content filter",
    ),
    "deepseek: an empty account": Odd(
        [document({"error": {"message": "Insufficient Balance", "type": "unknown_error"}}, 402)],
        error="billing",
    ),
    "a web page with status 200": Odd(
        [sending("<html><title>Sign in</title></html>", "text/html")],
        error="Sign in",
        is_retried=True,
    ),
    "openrouter, mistral: ended with error": _ended("error"),
    "sglang, vllm: ended with abort": _ended("abort"),
    "gemini: ended with MALFORMED_FUNCTION_CALL": _ended("MALFORMED_FUNCTION_CALL"),
    "deepseek: ended with insufficient_system_resource": _ended("insufficient_system_resource"),
    "zhipu: ended with network_error": _ended("network_error"),
    "a new word for the end": _ended("phase_of_the_moon"),
    "openrouter: stop, but not for the server behind it": _ended(
        "stop", native_finish_reason="MALFORMED_FUNCTION_CALL"
    ),
    "openrouter: stop for both": Odd(
        [
            sending(
                stream(
                    chunk({"tool_calls": [CALL]}), chunk({}, "stop", native_finish_reason="STOP")
                )
            )
        ],
        MADE,
    ),
    "no reason, and a call that may have been cut off": Odd(
        [sending(stream(chunk({"tool_calls": [_CUT]})))], error="middle", is_retried=True
    ),
    "no reason, and a whole call": Odd([sending(stream(chunk({"tool_calls": [CALL]})))], MADE),
    "gemini: STOP in capitals": Odd([asking(CALL, finish="STOP")], MADE),
    "claude: ended with end_turn": Odd(
        [sending(stream(chunk({"content": "Yes"}), chunk({}, "end_turn")))], text="Yes"
    ),
    "mistral: cut off at model_length": Odd(
        [writing('{"name": "a', "model_length")], told="cut off"
    ),
    "cut off after the empty object that a gateway begins with": Odd(
        [writing("{}", "length")], told="cut off"
    ),
    "a call without arguments that is whole": Odd([asking(_CUT)], [LISTED]),
    "gemini: withheld for SAFETY": Odd(
        [sending(stream(chunk({"content": "I"}), chunk({}, "SAFETY")))], error="content filter"
    ),
    "a whole completion that failed": Odd(
        [sending(whole(ASSISTANT, finish="error"), "application/json")],
        error="ended its answer with",
        is_retried=True,
    ),
}
