"""Values of which a newer server may know more: its client keeps them, the server makes none."""

import json
from enum import StrEnum
from typing import Literal

import pytest
from pydantic import BaseModel, ValidationError

from workflows.open_values import OPEN, Open, OpenObject, Unknown


class Colour(StrEnum):
    RED = "red"


class Round(BaseModel):
    radius: int


class Thing(BaseModel):
    colour: Open[Colour]
    taste: Open[Literal["sweet", "sour"]] | None = None
    shape: OpenObject[Round] | None = None


def read(**values: object) -> Thing:
    return Thing.model_validate_json(json.dumps({"colour": "red", **values}), context=OPEN)


def test_known_values_are_read_as_their_types() -> None:
    thing = read(taste="sour", shape={"radius": 1})
    assert thing == Thing(colour=Colour.RED, taste="sour", shape=Round(radius=1))
    assert isinstance(thing.colour, Colour)


def test_a_client_keeps_what_it_does_not_know() -> None:
    values = {"colour": "teal", "taste": "umami", "shape": {"corners": 3}}
    thing = read(**values)
    assert isinstance(thing.colour, Unknown)
    assert (thing.colour.value, thing.colour.is_final) == ("teal", False)
    assert json.loads(thing.model_dump_json()) == values


@pytest.mark.parametrize(
    "values", [{"colour": "teal"}, {"taste": "umami"}, {"shape": {"corners": 3}}]
)
def test_the_server_makes_known_values_only(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Thing.model_validate({"colour": "red", **values})


@pytest.mark.parametrize("values", [{"colour": 1}, {"taste": []}, {"shape": "odd"}])
def test_a_value_of_another_type_is_refused_by_both(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read(**values)


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_only_known_values_are_documented(mode: Literal["validation", "serialization"]) -> None:
    document = Thing.model_json_schema(mode=mode)
    assert document["properties"]["colour"] == {"$ref": "#/$defs/Colour"}
    assert document["$defs"]["Colour"]["enum"] == ["red"]
    assert document["properties"]["taste"]["anyOf"] == [
        {"enum": ["sweet", "sour"], "type": "string"},
        {"type": "null"},
    ]
    assert document["properties"]["shape"]["anyOf"] == [{"$ref": "#/$defs/Round"}, {"type": "null"}]
