"""Bodies that may be wrong: read as far as they can be, and every place in them known."""

from typing import Any, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, JsonValue

from activities.off_loop import off_loop
from api.errors import InvalidRequest
from api.http.bodies import JSON_TYPE, YAML_TYPES, decoded, media_type, parse, validated
from api.tasks.drafts import PIPELINE, Draft
from api.wire.errors import BodyMalformed, TooManyValues
from api.wire.located import Source
from api.wire.yaml_places import Place
from api.wire.yaml_reader import parse_yaml
from workflows.pointers import Problem

Model = TypeVar("Model", bound=BaseModel)

# Any value at all, since it may be wrong.
DRAFT: dict[str, Any] = {
    "description": (
        "What the call takes that would accept it, right or wrong: in JSON, or in YAML as "
        "`application/yaml`, of which the answer knows lines and columns."
    ),
    "required": True,
    "content": {JSON_TYPE: {"schema": {}}},
}


class Sent(Generic[Model]):
    """A dependency: the body as a draft of a ``model``. Raises ``MediaTypeRefused``."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model

    async def __call__(self, request: Request) -> Draft[Model]:
        body = await request.body()
        return await off_loop(read_draft, self._model, body, request.headers.get("content-type"))


def read_draft(model: type[Model], body: bytes, content_type: str | None) -> Draft[Model]:
    """The draft in a body. Raises ``MediaTypeRefused``."""
    try:
        document = parse(body, content_type)
    except (BodyMalformed, TooManyValues) as error:
        return _unread(error, "")
    is_yaml = media_type(content_type) in YAML_TYPES
    return draft_of(model, document, (Source("", decoded(body)),) if is_yaml else ())


def draft_of(
    model: type[Model], document: JsonValue, sources: tuple[Source, ...] = ()
) -> Draft[Model]:
    """The draft that a document is; the pipeline in it may be a text, YAML or JSON."""
    if isinstance(document, dict) and isinstance(text := document.get("pipeline"), str):
        try:
            document = {**document, "pipeline": parse_yaml(text)}
        except (BodyMalformed, TooManyValues) as error:
            return _unread(error, PIPELINE)
        sources = (Source(PIPELINE, text), *sources)
    try:
        return Draft(document, validated(model, document), sources=sources)
    except InvalidRequest as error:
        return Draft(document, problems=error.problems, sources=sources)


def _unread(error: BodyMalformed | TooManyValues, at: str) -> Draft[Any]:
    if isinstance(error, TooManyValues):
        return Draft(problems=(Problem(at, str(error)),))
    fields = error.fields
    place = Place(int(str(fields["line"])), int(str(fields["column"])))
    message = f"this is not valid {fields['form']}: {fields['reason']}"
    return Draft(problems=(Problem(at, message),), broken_at=place)
