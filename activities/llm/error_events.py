"""Errors that come with status 200: in place of an answer, or in the middle of one."""

import re
from collections.abc import Mapping

from activities.llm.error_words import code_of, error_in, status_in, words_of
from activities.llm.pauses import read_retry_after
from activities.llm.refusals import EMPTY_ACCOUNT, NO_MODEL, Refusal

_TEMPORARY_CODES = re.compile(
    r"server|internal|unavailable|timeout|time_?out|api_error$", re.IGNORECASE
)

# What an error means that came with status 200, or in the middle of an answer: the first that fits.
_MEANINGS = tuple(
    (status, re.compile(words, re.IGNORECASE))
    for status, words in (
        (429, r"rate.?limit|too.?many.?request|overload|resource.?exhausted|throttl"),
        (402, EMPTY_ACCOUNT.pattern),
        (
            401,
            r"invalid.{0,12}\bkey\b|invalid_(api_?)?key|invalidapikey"
            r"|\bkey\b.{0,20}(invalid|incorrect|missing|not valid|expired)|incorrect.{0,6}\bkey\b"
            r"|authenticat|unauthori[sz]ed|permission|forbidden|access.?denied|login.?fail",
        ),
        (404, r"not_found|model_not|" + NO_MODEL.pattern),
        (
            400,
            r"invalid.?(request|argument|param|value|schema)|bad.?request|validation|unprocessable"
            r"|unsupported|not.?support|not.?permitted|extra_forbidden|unknown (field|param)",
        ),
    )
)


def read_error_event(event: object, *, is_marked: bool = False) -> Refusal | None:
    """From what came with status 200; None when it tells of no error. ``is_marked``: the server
    has called it one."""
    if not is_marked and not _tells_of_error(event):
        return None if not isinstance(event, dict) else _in_choice(event)
    error = error_in(event)
    code, message = code_of(error), words_of(event)
    status = status_in(error) or _meaning(code, message)
    return Refusal(status, code, message, read_retry_after({}, event), is_in_answer=True)


def _tells_of_error(event: object) -> bool:
    if isinstance(event, list):  # Gemini wraps it in a list.
        return bool(event) and _tells_of_error(event[0])
    if not isinstance(event, dict):
        return False
    if event.get("error") or "error" in (event.get("object"), event.get("type")):
        return True
    if event.get("choices") and "x_groq" not in event:
        return False
    # Of MiniMax, beside "choices": null, where 0 is no error; and of Groq.
    for name, part in (("base_resp", "status_code"), ("x_groq", "error")):
        vendor = event.get(name)
        if isinstance(vendor, dict) and vendor.get(part):
            return True
    return not event.get("choices") and any(
        event.get(name)
        for name in ("message", "msg", "detail", "errors", "error_msg", "error_code")
    )


def _in_choice(event: Mapping[str, object]) -> Refusal | None:
    """OpenRouter and others tell of the failure of a model where its answer would be."""
    choices = event.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("error"):
            return read_error_event(choice, is_marked=True)
    return None


def _meaning(code: str, message: str) -> int:
    """The status that an error without one should have had. What is not known may get better."""
    for status, words in _MEANINGS:
        if words.search(code):
            return status
    if _TEMPORARY_CODES.search(code):
        return 500
    return next((status for status, words in _MEANINGS if words.search(message)), 500)
