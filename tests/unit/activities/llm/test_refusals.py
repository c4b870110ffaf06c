"""What servers say when they refuse, word for word."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from activities.llm.error_events import read_error_event
from activities.llm.pauses import MAX_RETRY_AFTER_SECONDS, read_retry_after
from activities.llm.refusals import (
    REASON_CHARACTERS,
    Refusal,
    read_refusal,
)
from workflows.errors import AgentOSError
from workflows.errors.models import (
    ContextTooLong,
    ModelNotFound,
    ModelOverloaded,
    ModelRefused,
    ModelUnavailable,
    ModelUnsuitable,
)


def kind(status: int, body: object) -> type[AgentOSError]:
    return type(read_refusal(status, {}, body).error("some-model"))


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "This model's maximum context length is 8192 tokens. However, your messages"),
        (400, "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted"),
        (400, "Your input exceeds the context window of this model. Please adjust your input"),
        (
            400,
            "You passed 4097 input tokens and requested 0 output tokens. However, the model's "
            "context length is only 4096 tokens",
        ),
        (400, "The decoder prompt (length 9000) is longer than the maximum model length of 4096."),
        (400, "The prompt (total length 9000) is too long to fit into the model (context length"),
        (400, "request (5000 tokens) exceeds the available context size (4096 tokens), try"),
        (500, "the request exceeds the available context size. try increasing the context size"),
        (500, "context shift is disabled"),
        (400, "the input length exceeds the context length"),
        (400, "input length exceeds maximum context length"),
        (400, "prompt too long; exceeded max context length by 12 tokens"),
        (400, "The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096"),
        (422, "Input validation error: `inputs` must have less than 1000 tokens. Given: 2000"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
        (400, "The input token count (1200000) exceeds the maximum number of tokens allowed"),
        (
            400,
            "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 "
            "maximum context length",
        ),
        (400, "This model's maximum prompt length is 131072 but the request contains 537812"),
        (400, "Please reduce the length of the messages or completion."),
        (413, "Request too large for model `x` on tokens per minute (TPM): Limit 6000"),
        (429, "Request too large for gpt-5 on tokens per min (TPM): Limit 30000, Requested 40000"),
        (400, "Input is too long for requested model."),
        (400, "Trying to keep the first 4096 tokens when context the overflows. However, the"),
        (400, "invalid params, context window exceeds limit"),
        (413, "Payload too large"),
    ],
)
def test_a_conversation_that_is_too_long_is_recognised(status: int, message: str) -> None:
    assert kind(status, {"message": message}) is ContextTooLong
    assert kind(status, message) is ContextTooLong


@pytest.mark.parametrize("code", ["context_length_exceeded", "exceed_context_size_error"])
def test_a_code_says_it_whatever_the_words(code: str) -> None:
    assert kind(400, {"message": "too much", "code": code}) is ContextTooLong
    assert kind(400, {"message": "too much", "type": code, "code": 400}) is ContextTooLong


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (
            429,
            "Rate limit reached for gpt-5 on tokens per min: Limit 30000, Used 29000",
            ModelOverloaded,
        ),
        (429, "Too many tokens per day, please wait", ModelOverloaded),
        (529, "Overloaded", ModelOverloaded),
        (500, "The server had an error while processing your request", ModelUnavailable),
        (503, "Loading model", ModelUnavailable),
        (400, "Invalid value: 'tol'. Supported values are: 'system', 'assistant'", ModelRefused),
        (
            400,
            "max_tokens is too large: 100000. This model supports at most 16384 completion tokens",
            ModelRefused,
        ),
        (400, "Invalid schema for function 'now': array schema missing items", ModelRefused),
        (404, "404 page not found", ModelNotFound),
        (404, 'model "llama9" not found, try pulling it first', ModelNotFound),
        (400, "The model `gpt-9` does not exist or you do not have access to it.", ModelNotFound),
        (400, "Model Not Exist", ModelNotFound),
        (400, "Unknown model: x", ModelNotFound),
        (400, "llama2:7b does not support tools", ModelUnsuitable),
        (404, "No endpoints found that don't support tool use", ModelUnsuitable),
        (
            400,
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser',
            ModelUnsuitable,
        ),
        (500, "tools param requires --jinja flag", ModelUnsuitable),
        (418, "", ModelRefused),
        (302, "", ModelRefused),
    ],
)
def test_other_refusals_are_not_taken_for_a_context_that_is_too_long(
    status: int, message: str, expected: type[AgentOSError]
) -> None:
    assert kind(status, {"message": message}) is expected


@pytest.mark.parametrize(
    "body",
    [
        {"message": "why"},
        {"error": {"message": "why"}},
        {"error": "why"},
        [{"error": {"message": "why"}}],
        {"detail": "why"},
        {"object": "error", "message": "why", "code": 400},
        "why",
    ],
)
def test_the_message_is_found_in_any_shape(body: object) -> None:
    assert read_refusal(400, {}, body).message == "why"


@pytest.mark.parametrize("body", [None, [], {}, 5, [[[[]]]], {"error": []}, {"message": {"a": 1}}])
def test_a_body_that_says_nothing_does_no_harm(body: object) -> None:
    assert "it gave no reason" in str(read_refusal(400, {}, body).error("m"))


def test_a_message_that_is_quoted_brings_no_second_full_stop() -> None:
    refusal = read_refusal(404, {}, {"message": "No such model."})
    assert ".." not in str(refusal.error("m"))


def test_a_message_is_shown_in_part_and_on_one_line() -> None:
    message = str(Refusal(400, "", "a\n\nb " + "x" * 5_000).error("m"))
    assert "a b xxx" in message
    assert len(message) < REASON_CHARACTERS + 200


@pytest.mark.parametrize(
    "key", ["sk-abcdefgh12345678", "sk-proj-ab**********cd", "Bearer abcdefghi"]
)
def test_a_key_in_a_message_is_not_shown(key: str) -> None:
    message = str(Refusal(400, "", f"Incorrect API key provided: {key}.").error("m"))
    assert "[key]" in message
    assert key[-6:] not in message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "86400"}, MAX_RETRY_AFTER_SECONDS),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, MAX_RETRY_AFTER_SECONDS),
        ({"retry-after": "Wed, 99 Foo 2015 07:28:00 GMT"}, None),
    ],
)
def test_retry_after_is_read_and_bounded(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after(headers) == seconds


def test_retry_after_may_be_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert read_retry_after({"retry-after": date}) == pytest.approx(60, abs=3)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"error": {"message": "slow down", "code": 429}}, ModelOverloaded),
        ({"error": {"message": "slow down", "code": "429"}}, ModelOverloaded),
        ({"error": {"message": "x", "type": "overloaded_error"}}, ModelOverloaded),
        ({"error": {"message": "x", "code": "rate_limit_exceeded"}}, ModelOverloaded),
        ({"error": {"message": "x", "type": "server_error", "code": None}}, ModelUnavailable),
        ({"error": {"message": "x", "code": 400, "type": "BadRequestError"}}, ModelRefused),
        ({"error": {"message": "x", "code": "context_length_exceeded"}}, ContextTooLong),
        ({"error": "it broke"}, ModelUnavailable),
        ({"error": True}, ModelUnavailable),
    ],
)
def test_an_error_in_a_stream_means_what_it_says(
    event: dict[str, object], expected: type[AgentOSError]
) -> None:
    refusal = read_error_event(event)
    assert refusal is not None
    assert type(refusal.error("m")) is expected


@pytest.mark.parametrize("event", [{}, {"error": None}, {"choices": []}])
def test_events_without_an_error_are_not_read_as_one(event: dict[str, object]) -> None:
    assert read_error_event(event) is None
