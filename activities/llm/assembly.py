"""An answer put together from the chunks of a stream, whichever way a server cuts them.

Chunks come from outside and are read with care: what has the wrong type counts as absent.
"""

from collections.abc import Collection, Mapping

from activities.llm.base import ToolRequest, Usage
from activities.llm.calls import MAX_REQUESTS, Calls, read_piece
from activities.llm.finishes import Ending, ending_of, hides_failure
from activities.llm.opaque import Gathered, Opaque
from activities.llm.untrusted import items_of, mapping_of, number_of, text_of

# Some 250,000 tokens: more than any model writes unless it goes round in circles.
ANSWER_CHARACTERS = 1_000_000
# Of one answer: what a server says beyond that is no count.
MAX_TOKENS = 1_000_000_000

_TEXT_TYPES = frozenset({None, "text", "output_text", "refusal"})


class Assembly:
    """What has arrived of one answer. ``usage`` is the server's, if it gave any.

    A server may give parts of an answer as choices of their own: Copilot has the text in the first
    and the calls in the next. Of text, that of one choice counts, and of a whole message at the
    end of a stream only what the stream did not say. ``offered`` are the tools' names on the wire.
    """

    def __init__(self, offered: Collection[str] = ()) -> None:
        self.usage: Usage | None = None
        self.reasons: list[str] = []
        self._text: list[str] = []
        self._speaker: int | None = None
        self._calls = Calls(offered)
        self._gathered = Gathered()
        self._characters = 0

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def has_begun(self) -> bool:
        """Whether there is text or a call."""
        return bool(self._text) or len(self._calls) > 0

    @property
    def has_cost(self) -> bool:
        """Whether anything has come that shows that the model was at work."""
        return self.has_begun or self._gathered.has_begun or self.usage is not None

    @property
    def is_too_long(self) -> bool:
        characters = self._characters + self._gathered.characters
        return characters > ANSWER_CHARACTERS or len(self._calls) > MAX_REQUESTS

    @property
    def bad_reason(self) -> str | None:
        """The reason for its end that is not a good one, if there is one."""
        return next(
            (reason for reason in self.reasons if ending_of(reason) is not Ending.WHOLE), None
        )

    def requests(self) -> tuple[ToolRequest, ...]:
        """The calls in the order in which they began, each with an id of its own."""
        return tuple(call.request for call in self._calls.made())

    def opaque(self, model: str) -> Opaque | None:
        """What must go back to ``model`` with this answer."""
        return self._gathered.opaque(model, [call.extra for call in self._calls.made()])

    def add(self, chunk: object) -> str:
        """Take a chunk, or a whole completion; return the text that is new."""
        fields = mapping_of(chunk)
        self.usage = _usage(fields.get("usage")) or self.usage
        choices = [mapping_of(choice) for choice in items_of(fields.get("choices"))]
        if len(choices) == 1:  # It nearly always is, a thousand times an answer.
            return self._add_choice(number_of(choices[0].get("index")) or 0, choices[0])
        numbers = [number_of(choice.get("index")) for choice in choices]
        are_numbered = None not in numbers and len(set(numbers)) == len(numbers)
        text = ""
        for place, choice in enumerate(choices):
            number = numbers[place] if are_numbered else place
            text += self._add_choice(place if number is None else number, choice)
        return text

    def _add_choice(self, number: int, choice: Mapping[str, object]) -> str:
        delta = choice.get("delta")
        is_whole = not isinstance(delta, dict) or (not delta and not self.has_begun)
        message = mapping_of(choice.get("message") if is_whole else delta)
        if not message and isinstance(choice.get("text"), str):  # Of the older Completions API.
            message = {"content": choice["text"]}
        self._add_reason(choice, is_whole=is_whole and bool(message))
        self._gathered.take(message)
        for call in _calls_in(message):
            self._add_call(call, number)
        text = _content(message.get("content")) + text_of(message.get("refusal"))
        text = text or text_of(mapping_of(message.get("audio")).get("transcript"))
        was_said = is_whole and bool(self._text)
        if not text or was_said or self._speaker not in (None, number):
            return ""
        self._speaker = number
        self._text.append(text)
        self._characters += len(text)
        return text

    def _add_reason(self, choice: Mapping[str, object], *, is_whole: bool) -> None:
        reason, native = choice.get("finish_reason"), choice.get("native_finish_reason")
        if isinstance(reason, str) and reason:
            hidden = native if isinstance(native, str) and hides_failure(reason, native) else None
            self.reasons.append(hidden or reason)
        elif is_whole and not self.reasons:  # A document that could be read has its end.
            self.reasons.append("stop")

    def _add_call(self, value: object, choice: int) -> None:
        piece = read_piece(value, choice)
        if piece.is_nothing:
            return
        before = len(self._calls)
        self._calls.add(piece)
        self._characters += len(piece.arguments) + len(piece.name) + len(str(piece.extra or ""))
        if len(self._calls) > before:
            self._characters += len(piece.id)  # Some servers put whole thoughts into it.


def _usage(value: object) -> Usage | None:
    fields = mapping_of(value)
    prompt, completion = (
        _count(fields.get("prompt_tokens")),
        _count(fields.get("completion_tokens")),
    )
    if not prompt or completion is None:
        return None  # No prompt is empty: this server does not count.
    details = mapping_of(fields.get("prompt_tokens_details"))
    cached = _count(details.get("cached_tokens")) or 0
    return Usage(prompt, completion, is_estimate=False, cached_tokens=min(cached, prompt))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= MAX_TOKENS else None


def _content(value: object) -> str:
    """Text, or the parts of text among others."""
    if isinstance(value, list | dict):
        return "".join(map(_part, value if isinstance(value, list) else [value]))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return text_of(value)


def _part(part: object) -> str:
    fields = mapping_of(part)
    if isinstance(part, str) or not _is_text(fields.get("type")):
        return text_of(part)
    text = fields.get("text") or fields.get("refusal")
    return text_of(mapping_of(text).get("value") if isinstance(text, dict) else text)


def _calls_in(message: Mapping[str, object]) -> list[object]:
    """The calls, or pieces of calls, in a message."""
    if calls := message.get("tool_calls"):
        return items_of(calls)
    legacy, content = message.get("function_call"), message.get("content")
    if isinstance(legacy, dict):  # From before there were several in an answer.
        return [legacy]
    if not isinstance(content, list):
        return []
    parts = [mapping_of(part) for part in content]
    return [  # As Claude has them, which some gateways pass on as they are.
        {"id": part.get("id"), "name": part.get("name"), "arguments": part.get("input")}
        for part in parts
        if part.get("type") == "tool_use"
    ]


def _is_text(kind: object) -> bool:
    """Whether a part of this type is text, and no thought."""
    return not isinstance(kind, list | dict) and kind in _TEXT_TYPES
