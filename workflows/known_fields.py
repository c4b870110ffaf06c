"""Which fields a model has at a place of a document, for whoever wrote one that it has not.

An error of pydantic names the place of an unknown field, and not the model that lacks it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_SEQUENCES: Final = (list, tuple, set, frozenset, Sequence)


def fields_at(model: Any, place: Sequence[str | int]) -> tuple[str, ...]:
    """The names of the fields that an object at ``place`` can have; none where any are taken."""
    there = [*_models(model)]
    for part in place:
        there = [found for each in there for found in _into(each, part)]
    names = (
        name
        for each in there
        if isinstance(each, type) and issubclass(each, BaseModel)
        for name in _fields(each)
    )
    return tuple(dict.fromkeys(names))


def _models(annotation: Any) -> Iterator[Any]:
    """The members of a union, and what is within ``Annotated``."""
    if get_origin(annotation) is Annotated:
        yield from _models(get_args(annotation)[0])
    elif get_args(annotation) and get_origin(annotation) not in (*_SEQUENCES, dict, Mapping):
        for member in get_args(annotation):
            yield from _models(member)
    else:
        yield annotation


def _into(annotation: Any, part: str | int) -> Iterator[Any]:
    arguments, origin = get_args(annotation), get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = _fields(annotation).get(str(part))
        if field is not None:
            yield from _models(field.annotation)
    elif origin in _SEQUENCES and arguments and isinstance(part, int):
        yield from _models(arguments[0])
    elif origin in (dict, Mapping):
        yield from _models(arguments[-1])


def _fields(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """By the name that a document has for each."""
    return {field.alias or name: field for name, field in model.model_fields.items()}
