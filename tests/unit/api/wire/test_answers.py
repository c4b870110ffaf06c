"""A program reads each field of an answer under the name that it has in JSON."""

import keyword
from collections.abc import Iterator

import pytest

from api.wire import responses
from api.wire.responses.base import Answer
from workflows.discovery import modules_of

MODULES = list(modules_of(responses))


def models(base: type[Answer] = Answer) -> Iterator[type[Answer]]:
    for model in base.__subclasses__():
        yield model
        yield from models(model)


RENAMED = [
    (model, name, field.alias)
    for model in models()
    for name, field in model.model_fields.items()
    if field.alias is not None and not keyword.iskeyword(field.alias)
]


@pytest.mark.parametrize(("model", "name", "alias"), RENAMED)
def test_a_field_whose_name_a_model_has_for_itself_is_read_under_it(
    model: type[Answer], name: str, alias: str
) -> None:
    answer = model.model_construct(**{name: "given"})
    assert getattr(answer, alias) == "given"


def test_there_are_such_fields() -> None:
    assert {alias for _, _, alias in RENAMED} == {"json", "schema"}
