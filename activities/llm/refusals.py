"""What a server's refusal means: wait, use another model, shorten the conversation, or give up."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from activities.llm.error_words import code_of, error_in, words_of
from activities.llm.pauses import read_retry_after
from workflows.errors import AgentOSError
from workflows.errors.models import (
    AnswerWithheld,
    ContextTooLong,
    ModelNotFound,
    ModelOverloaded,
    ModelRefused,
    ModelUnavailable,
    ModelUnsuitable,
)

# Servers quote the prompt in their messages; its beginning is enough to know what is wrong.
REASON_CHARACTERS = 200

_OVERLOADED = frozenset({429, 529})
# 498: Groq has no room for it now. 499: a gateway has hung up.
_TEMPORARY = frozenset({408, 409, 425, 498, 499})
_TOO_LONG_STATUSES = frozenset({400, 413, 422, 429, 500})
_ABOUT_FIELDS_STATUSES = frozenset({400, 422, 500, 501})

_TOO_LONG_CODES = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
)

# In the words of OpenAI and Azure, vLLM, llama.cpp, Ollama, SGLang, TGI and Together, Anthropic,
# Gemini, Mistral, xAI, Groq, Bedrock, LM Studio, MiniMax.
_TOO_LONG = re.compile(
    r"context[ _](length|size|window|limit)|context (shift is disabled|the overflows)"
    r"|maximum (prompt|model) length"
    r"|\b(prompt|input|messages?|request)\b.{0,60}\btoo (long|large)"
    r"|exceeds? the (maximum number of|configured limit of \d+) tokens"
    r"|`inputs`.{0,30} must (be <=|have less than)"
    r"|reduce (the|your) (length|message size|prompt)",
    re.IGNORECASE,
)
_NO_TOOLS = re.compile(
    r"(not|n't) support (tools|tool use|tool call|function)|tool[_ ]choice.*requires|--jinja",
    re.IGNORECASE,
)
NO_MODEL = re.compile(
    r"model\b.{0,80}\b(not found|does not exist|not exist|unknown)|(unknown|no such|invalid) model",
    re.IGNORECASE,
)
_WITHHELD_CODES = re.compile(
    r"content_?(filter|policy)|ResponsibleAI|moderation|data_inspection|sensitive", re.IGNORECASE
)
EMPTY_ACCOUNT = re.compile(
    r"insufficient[ _]?(user[ _]?)?(quota|balance|credit|funds)|billing|arrear"
    r"|payment[ _]?required",
    re.IGNORECASE,
)
_SECRET = re.compile(r"\b(sk|key|Bearer)[-_ ][\w*.-]{8,}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server said in place of an answer. ``message`` is text from outside.

    ``is_in_answer``: it came with status 200, and ``status`` is what it means.
    """

    status: int
    code: str
    message: str
    retry_after_seconds: float | None = None
    is_in_answer: bool = False

    @property
    def is_about_usage(self) -> bool:
        """Whether the server does not know how to count tokens in a stream."""
        return self.is_about(("stream_options", "include_usage"))

    def is_about(self, fields: Collection[str]) -> bool:
        """Whether it names one of these fields of a request."""
        has_status = self.is_in_answer or self.status in _ABOUT_FIELDS_STATUSES
        return has_status and any(name in self.message for name in fields)

    def error(self, model: str) -> AgentOSError:
        """The error that this is, for ``model``."""
        reason = f"HTTP {200 if self.is_in_answer else self.status}: {shown(self.message)}"
        if self._is_too_long:
            return ContextTooLong(model=model, reason=reason)
        if _WITHHELD_CODES.search(self.code):
            return AnswerWithheld(model=model)
        if self.status == 402 or EMPTY_ACCOUNT.search(self.code):
            # With status 429 as well, but waiting does not help.
            remedy = "Check the plan and the billing of the account."
            return ModelRefused(model=model, reason=reason, remedy=remedy)
        if _NO_TOOLS.search(self.message):  # llama.cpp says so with status 500.
            return ModelUnsuitable(model=model, reason=reason)
        if self.status < 500 and self.status not in _OVERLOADED | _TEMPORARY:
            return self._final(model, reason)
        kind = ModelOverloaded if self.status in _OVERLOADED else ModelUnavailable
        error = kind(model=model, reason=reason)
        error.retry_after_seconds = self.retry_after_seconds
        return error

    def _final(self, model: str, reason: str) -> AgentOSError:
        if self.status in {401, 403}:
            # Without the words of servers that have a status for it: they show a part of the key.
            reason = reason if self.is_in_answer else f"HTTP {self.status}"
            remedy = "Check OPENAI_API_KEY and what it may use."
            return ModelRefused(model=model, reason=reason, remedy=remedy)
        if self.status == 404 or self.code == "model_not_found" or NO_MODEL.search(self.message):
            return ModelNotFound(model=model, reason=reason)
        remedy = "Check OPENAI_BASE_URL, and whether the model fits this use."
        return ModelRefused(model=model, reason=reason, remedy=remedy)

    @property
    def _is_too_long(self) -> bool:
        if self.code in _TOO_LONG_CODES or self.status == 413:
            return True
        if self.status not in _TOO_LONG_STATUSES:
            return False
        if self.status == 429:
            # OpenAI and Groq: this request alone is more than the limit for a minute.
            return "request too large" in self.message.lower()
        return _TOO_LONG.search(self.message) is not None


class Refused(Exception):
    """A server has answered with an error."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def read_refusal(status: int, headers: Mapping[str, str], body: object) -> Refusal:
    """From an answer with an error's status; ``body`` is its parsed JSON, or text."""
    code = code_of(error_in(body))
    return Refusal(status, code, words_of(body), read_retry_after(headers, body))


def shown(message: str) -> str:
    """The beginning of a message on one line, with no key in it."""
    # Without its full stop: it is quoted in a sentence of ours.
    line = " ".join(message.split()).rstrip(".") or "it gave no reason"
    line = _SECRET.sub("[key]", line)
    return line if len(line) <= REASON_CHARACTERS else f"{line[:REASON_CHARACTERS]}..."
