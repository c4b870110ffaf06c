"""The OpenAPI document has what FastAPI cannot know: the events of a task."""

import json
import re
from typing import Any

import pytest

from api.http.openapi import DocumentedApi
from api.http.routes import task_history, tasks
from workflows.events import MODELS, EventType


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = DocumentedApi()
    for module in (tasks, task_history):
        app.include_router(module.router)
    return app.openapi()


def items_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the stream of a task's events consists of, by type."""
    answer = document["paths"]["/tasks/{task_id}/events"]["get"]["responses"]["200"]
    items = answer["content"]["text/event-stream"]["itemSchema"]["oneOf"]
    return {item["properties"]["event"]["const"]: item["properties"] for item in items}


@pytest.mark.parametrize("kind", EventType)
def test_every_event_is_a_component_to_which_the_stream_refers(
    document: dict[str, Any], kind: EventType
) -> None:
    data = items_of(document)[kind]["data"]
    name = data["contentSchema"]["allOf"][0]["$ref"].removeprefix("#/components/schemas/")
    schema = document["components"]["schemas"][name]
    assert schema.get("properties", {}).keys() == MODELS[kind].model_fields.keys()
    assert schema["description"]


def test_the_stream_has_no_type_that_is_none(document: dict[str, Any]) -> None:
    assert items_of(document).keys() == set(EventType)


def test_every_call_may_answer_with_a_problem_document(document: dict[str, Any]) -> None:
    calls = [call for path in document["paths"].values() for call in path.values()]
    contents = [call["responses"]["default"]["content"] for call in calls]
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    assert all(content == {"application/problem+json": {"schema": schema}} for content in contents)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    names = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document))
    assert set(names) <= document["components"]["schemas"].keys()


def test_events_take_no_name_of_an_answer(document: dict[str, Any]) -> None:
    assert "tokens_used" in document["components"]["schemas"]["Usage"]["properties"]
    assert "is_lost" in document["components"]["schemas"]["UsageEvent"]["properties"]


def test_the_document_is_made_once() -> None:
    app = DocumentedApi()
    app.include_router(task_history.router)
    assert app.openapi() is app.openapi()
