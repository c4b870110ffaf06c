"""The messages of an agent's task as a page shows them: each call beside its result."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from api.web.text.ansi import ansi
from api.web.text.budget import Budget
from api.web.text.pretty import parsed_json
from api.wire.responses.history import Message, ToolRequest

MAX_SHOWN = 32_000  # Characters of a message or a result; the whole of it is a link away.
_MAX_TITLE = 120
# What a call is about, by the names of arguments.
_TELLING = (
    *("skill", "script", "name", "path", "file", "query", "title", "question", "text", "summary"),
    *("language", "source"),
)


@dataclass(slots=True)
class ShownCall:
    """A call of a tool; ``id`` is unique within the page. ``texts`` are those arguments that have
    lines, which JSON would hide. ``result`` is None until there is one, which is message ``seq``.
    """

    id: str
    tool: str
    title: str
    arguments: Markup
    texts: Sequence[tuple[str, Markup]] = ()
    result: Markup | None = None
    is_cut: bool = False
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """A message with its text as HTML, and the calls that it asks for."""

    message: Message
    body: Markup
    is_cut: bool
    calls: list[ShownCall] = field(default_factory=list)


def conversation_of(messages: Iterable[Message]) -> Sequence[Said]:
    """What was said, in its order. It takes a while: call it beside the event loop."""
    budget = Budget()
    said: list[Said] = []
    open_calls: dict[str, ShownCall] = {}
    for message in messages:
        call = open_calls.pop(message.request_id or "", None) if message.role == "tool" else None
        if call is not None:
            _answer(call, message, budget)
            continue
        shown, is_cut = _cut(message.content)
        body = ansi(shown) if message.role == "tool" else budget.markdown(shown)
        calls = [
            call_of(request, f"call-{message.seq}-{number}", budget)
            for number, request in enumerate(message.requests)
        ]
        open_calls |= {
            request.id: call for request, call in zip(message.requests, calls, strict=True)
        }
        said.append(Said(message, body, is_cut, calls))
    return said


def call_of(request: ToolRequest, anchor: str, budget: Budget) -> ShownCall:
    """A call as the model wrote it."""
    shown, _ = _cut(request.arguments)
    given = parsed_json(shown)
    texts = _with_lines(given) if isinstance(given, dict) else {}
    language = given.get("language") if isinstance(given, dict) else None
    blocks = [(name, budget.code(text, str(language))) for name, text in texts.items()]
    if isinstance(given, dict) and texts:
        shown = json.dumps({name: given[name] for name in given if name not in texts})
    title = title_of(request.arguments)
    return ShownCall(anchor, request.name, title, budget.pretty(shown), blocks)


def _with_lines(given: Mapping[str, object]) -> Mapping[str, str]:
    return {
        name: value
        for name, value in given.items()
        if isinstance(value, str) and "\n" in value.strip()
    }


def title_of(arguments: str) -> str:
    """What a call is about: the skill and script that it runs, a file, the beginning of a text."""
    given = parsed_json(arguments)
    if not isinstance(given, dict):
        return ""
    words = [given[name] for name in _TELLING if isinstance(given.get(name), str)]
    return " / ".join(" ".join(word.split())[:_MAX_TITLE] for word in words[:2])[:_MAX_TITLE]


def _answer(call: ShownCall, result: Message, budget: Budget) -> None:
    shown, call.is_cut = _cut(result.content)
    call.result, call.seq = budget.pretty(shown), result.seq


def _cut(text: str) -> tuple[str, bool]:
    return text[:MAX_SHOWN], len(text) > MAX_SHOWN
