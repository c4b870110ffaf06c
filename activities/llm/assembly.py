"""An answer put together from the chunks of a stream, whichever way a server cuts them.

Chunks come from outside and are read with care: what has the wrong type counts as absent.
"""

import json
import uuid
from dataclasses import dataclass

from activities.llm.base import ToolRequest, Usage

# Some 250,000 tokens: more than any model writes unless it goes round in circles.
ANSWER_CHARACTERS = 1_000_000
MAX_REQUESTS = 128
# Of one answer: what a server says beyond that is no count.
MAX_TOKENS = 1_000_000_000

# Mistral takes ids of nine letters and digits only; others take any.
_ID_CHARACTERS = 9

_NO_MAPPING: dict[str, object] = {}


@dataclass(slots=True)
class _Call:
    """``pieces`` are those of the arguments: to put them together each time takes minutes."""

    index: int | None
    id: str
    name: str
    pieces: list[str]

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)


class Assembly:
    """What has arrived of one answer. ``usage`` is the server's, if it gave any."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.finish: str | None = None
        self.has_begun = False
        self._text: list[str] = []
        self._calls: list[_Call] = []
        self._characters = 0

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def is_too_long(self) -> bool:
        return self._characters > ANSWER_CHARACTERS or len(self._calls) > MAX_REQUESTS

    def requests(self) -> tuple[ToolRequest, ...]:
        """The calls in the order in which they began, each with an id of its own."""
        taken: set[str] = set()
        requests = []
        for call in self._calls[:MAX_REQUESTS]:
            if not call.id or call.id in taken:
                call.id = uuid.uuid4().hex[:_ID_CHARACTERS]
            taken.add(call.id)
            requests.append(ToolRequest(call.id, call.name, call.arguments))
        return tuple(requests)

    def add(self, chunk: object) -> str:
        """Take a chunk, or a whole completion; return the text that is new."""
        fields = _mapping(chunk)
        self.usage = _usage(fields.get("usage")) or self.usage
        choices = fields.get("choices")
        if not isinstance(choices, list) or not choices:
            return ""
        choice = _mapping(choices[0])
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self.finish = reason
        delta = _mapping(choice.get("delta") or choice.get("message"))
        text = _content(delta.get("content")) + _text(delta.get("refusal"))
        calls = delta.get("tool_calls")
        if isinstance(calls, list):
            for call in calls:
                self._add_call(_mapping(call))
        if text:
            self._text.append(text)
            self._characters += len(text)
        self.has_begun = self.has_begun or bool(text) or bool(self._calls)
        return text

    def _add_call(self, fields: dict[str, object]) -> None:
        index = fields.get("index")
        function = _mapping(fields.get("function"))
        arguments = _arguments(function.get("arguments"))
        piece = _Call(
            index=index if isinstance(index, int) else None,
            id=_text(fields.get("id")),
            name=_text(function.get("name")),
            pieces=[arguments],
        )
        self._characters += len(arguments) + len(piece.name)
        call = self._continued(piece)
        if call is None:
            self._characters += len(piece.id)  # Some servers put whole thoughts into it.
            self._calls.append(piece)
            return
        call.id = call.id or piece.id
        call.name = call.name or piece.name  # Some servers repeat the name in every piece.
        call.pieces.append(arguments)

    def _continued(self, piece: _Call) -> _Call | None:
        """The call that ``piece`` belongs to; None when it begins one.

        A piece without a name continues a call, whatever its id: vLLM made up a new id for every
        piece. Under an index that is taken, a name begins another call when its id is another one,
        or when the call there is complete: Gemini gives every call the index 0.
        """
        if piece.index is not None:
            same = [call for call in self._calls if call.index == piece.index]
        elif piece.id and piece.name:
            same = [call for call in self._calls if call.id == piece.id]
        else:
            same = self._calls
        if not same:
            return None
        call = same[-1]
        if not piece.name or not call.name:
            return call
        if piece.id and call.id:
            return call if piece.id == call.id else None
        begins = bool(piece.arguments.strip()) and _is_complete(call.arguments)
        return None if begins or piece.name != call.name else call


def _usage(value: object) -> Usage | None:
    fields = _mapping(value)
    prompt, completion = (
        _count(fields.get("prompt_tokens")),
        _count(fields.get("completion_tokens")),
    )
    if not prompt or completion is None:
        return None  # No prompt is empty: this server does not count.
    details = _mapping(fields.get("prompt_tokens_details"))
    cached = _count(details.get("cached_tokens")) or 0
    return Usage(prompt, completion, is_estimate=False, cached_tokens=min(cached, prompt))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= MAX_TOKENS else None


def _content(value: object) -> str:
    """Text, or the parts of text among others."""
    if isinstance(value, list):
        return "".join(_text(_mapping(part).get("text")) for part in value)
    return _text(value)


def _arguments(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else _text(value)


def _text(value: object) -> str:
    """Text as it can be stored: no half surrogate pairs, which UTF-8 has not, and no NUL."""
    if not isinstance(value, str):
        return ""
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode()
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else _NO_MAPPING


def _is_complete(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False
