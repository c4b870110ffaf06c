"""Bodies of requests: what strangers send, read strictly, with the place of each error."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from itertools import islice
from math import isfinite
from typing import Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, JsonValue, ValidationError

from activities.off_loop import off_loop
from api.errors import InvalidRequest, MediaTypeRefused
from api.wire.errors import BodyMalformed
from api.wire.json_reader import parse_json
from api.wire.located import Located, Source, located
from api.wire.yaml_places import Place
from api.wire.yaml_reader import parse_yaml
from workflows.pointers import MAX_PROBLEMS, Problem, pointer, problems_in

JSON_TYPE = "application/json"
YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml")

# JSON of so little is read sooner than another thread has its turn.
_SMALL_BYTES = 1_024

# Of what a stranger names, in the refusal.
_SHOWN_CHARACTERS = 100

# ASCII is UTF-8, too.
_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")

_MAX_INTEGER = 2**63 - 1
_HALF_PAIR = re.compile("[\ud800-\udfff]")

Model = TypeVar("Model", bound=BaseModel)


def parse(body: bytes, content_type: str | None) -> JsonValue:
    """The value of a request's body.

    Raises:
        MediaTypeRefused: it is neither JSON nor YAML, or does not say what it is.
        BodyMalformed: it is not what it says.
        TooManyValues
    """
    kind = media_type(content_type)
    given = (content_type or "")[:_SHOWN_CHARACTERS]
    # A body without a type is not guessed at: a web page can send one here without asking.
    if kind not in (JSON_TYPE, *YAML_TYPES) and not kind.endswith("+json"):
        raise MediaTypeRefused(given=given, known=" or ".join((JSON_TYPE, YAML_TYPES[0])))
    if _charset(content_type) not in _CHARSETS:
        raise MediaTypeRefused(given=given, known=f"{kind[:_SHOWN_CHARACTERS]} in UTF-8")
    return parse_yaml(decoded(body)) if kind in YAML_TYPES else parse_json(body)


def media_type(content_type: str | None) -> str:
    """``text/yaml; charset=utf-8`` -> ``text/yaml``."""
    return (content_type or "").partition(";")[0].strip().lower()


def _charset(content_type: str | None) -> str:
    """In lower case; UTF-8 where none is named."""
    header = Message()
    header["content-type"] = content_type or JSON_TYPE
    return (header.get_content_charset() or _CHARSETS[0]).lower()


class Body(Generic[Model]):
    """A dependency of a route: its request's body, read and checked as a ``model``.

    All bodies but forms are read here, whatever the route. ``default`` is what no body at all
    means; without one, a body is required.
    """

    def __init__(self, model: type[Model], *, default: Model | None = None) -> None:
        self.model = model
        self.default = default

    async def __call__(self, request: Request) -> Model:
        body = await request.body()
        if not body and self.default is not None:
            return self.default
        content_type = request.headers.get("content-type")
        encoding = request.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            sent, packed = (content_type or "")[:_SHOWN_CHARACTERS], encoding[:_SHOWN_CHARACTERS]
            given = f"{sent} with Content-Encoding {packed}"
            raise MediaTypeRefused(given=given, known="it as it is, without Content-Encoding")
        request.state.sent = SentBody(body, content_type)
        if len(body) <= _SMALL_BYTES and content_type == JSON_TYPE:
            return read_as(self.model, body, content_type)
        return await off_loop(read_as, self.model, body, content_type)


@dataclass(frozen=True, slots=True)
class SentBody:
    """A body as it came, for whoever has to say where in it something is wrong."""

    body: bytes
    content_type: str | None

    def located(self, error: InvalidRequest) -> list[Located]:
        """The problems, with lines and columns where they are in a text in YAML.

        Takes a while: not on the event loop.
        """
        document = parse(self.body, self.content_type)
        is_yaml = media_type(self.content_type) in YAML_TYPES
        sources = [Source("", decoded(self.body))] if is_yaml else []
        text = document.get("pipeline") if isinstance(document, dict) else None
        if isinstance(document, dict) and isinstance(text, str):
            sources.insert(0, Source("/pipeline", text))
            if error.broken_at is None:
                document = {**document, "pipeline": parse_yaml(text)}
        return located(error.problems, document, sources, error.broken_at)


def read_as(model: type[Model], body: bytes, content_type: str | None) -> Model:
    """The request in a body; a pipeline in it may be text, YAML or JSON.

    Raises:
        MediaTypeRefused, BodyMalformed, TooManyValues
        InvalidRequest: with what its form alone shows to be wrong.
    """
    return checked(model, parse(body, content_type))


def checked(model: type[Model], document: JsonValue) -> Model:
    """The request in what was read from a body, or put together from the fields of a form.

    Raises:
        InvalidRequest: with what its form alone shows to be wrong.
    """
    if isinstance(document, dict) and isinstance(text := document.get("pipeline"), str):
        document = {**document, "pipeline": _parse_pipeline(text)}
    return validated(model, document)


def validated(model: type[Model], document: JsonValue) -> Model:
    """The request that a document is. Raises ``InvalidRequest``."""
    try:
        request = model.model_validate(document)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        raise InvalidRequest(problems_in(errors, document, model=model)) from error
    if problems := list(islice(unstorable(document), MAX_PROBLEMS)):
        raise InvalidRequest(problems)
    return request


def unstorable(value: JsonValue) -> Iterator[Problem]:
    """What is well formed, yet cannot be kept: NUL, half a surrogate pair, numbers too large."""
    waiting: list[tuple[tuple[str | int, ...], JsonValue]] = [((), value)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, dict):
            waiting += [((*path, key), child) for key, child in item.items()]
            if any(_text_problem(key) for key in item):
                yield Problem(pointer(path), "a name in this object holds a forbidden character")
        elif isinstance(item, list):
            waiting += [((*path, index), child) for index, child in enumerate(item)]
        elif message := _scalar_problem(item):
            yield Problem(pointer(path), message)


def _scalar_problem(value: str | int | float | None) -> str | None:
    if isinstance(value, str):
        return _text_problem(value)
    if isinstance(value, float) and not isfinite(value):
        return "this number is too large"
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        return "this number needs more than 64 bits; write it as text"
    return None


def _text_problem(text: str) -> str | None:
    if "\0" in text:
        return "text cannot hold the character NUL"
    if not text.isascii() and _HALF_PAIR.search(text):
        return "text cannot hold half of a surrogate pair"
    return None


def _parse_pipeline(text: str) -> JsonValue:
    try:
        return parse_yaml(text)
    except BodyMalformed as error:
        line, column = int(str(error.fields["line"])), int(str(error.fields["column"]))
        reason = f"not valid YAML: {error.fields['reason']} (line {line}, column {column})"
        refused = InvalidRequest([Problem("/pipeline", reason)])
        refused.broken_at = Place(line, column)
        raise refused from error


def decoded(body: bytes) -> str:
    """The text of a body of YAML. Raises ``BodyMalformed``."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        column = error.start - body.rfind(b"\n", 0, error.start)
        raise BodyMalformed(
            form="YAML", reason="it is not UTF-8", line=line, column=column
        ) from error
