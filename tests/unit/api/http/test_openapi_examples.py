"""Examples in the OpenAPI document are what they are examples of."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.http.document.shapes import calls_of
from tests.unit.api.http.described import Json, the_document


def examples_of(document: Json) -> Iterator[tuple[str, Json, Any]]:
    """Each with its place and schema."""
    shared = document["components"]["responses"]
    answers = [
        (call["operationId"], call["responses"].values()) for _, _, call in calls_of(document)
    ]
    bodies = [
        (call["operationId"], [call.get("requestBody", {})]) for _, _, call in calls_of(document)
    ]
    for name, items in [*answers, *bodies, ("shared", shared.values())]:
        for item in items:
            for kind, media in item.get("content", {}).items():
                if not kind.endswith("json"):
                    continue
                if "example" in media:
                    yield name, media["schema"], media["example"]
                for key, example in media.get("examples", {}).items():
                    yield f"{name} {key}", media["schema"], example["value"]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    components = the_document()["components"]
    return Draft202012Validator(
        {"components": components}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def test_every_example_matches_its_schema(validator: Draft202012Validator) -> None:
    found = [
        f"{name} at {list(error.path)}: {error.message[:200]}"
        for name, schema, example in examples_of(the_document())
        for error in validator.evolve(schema={**validator.schema, **schema}).iter_errors(example)
    ]
    assert found == []


def test_what_is_wrong_with_an_example_would_be_found(validator: Draft202012Validator) -> None:
    accepted = {**validator.schema, "$ref": "#/components/schemas/Accepted"}
    wrong = {"task_id": "none", "status": "pending", "links": {}}
    messages = [error.message for error in validator.evolve(schema=accepted).iter_errors(wrong)]
    assert "'none' is not a 'uuid'" in messages
