"""The OpenAPI document has what FastAPI cannot know: the events of a task."""

import json
import re
from typing import Any

import pytest

from api.http.openapi import DocumentedApi
from api.http.routes import health, task_history, tasks
from workflows.events import MODELS, EventType, names_of


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
    assert schema.get("properties", {}).keys() == names_of(MODELS[kind])
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


@pytest.mark.parametrize(
    ("keys_required", "wanted"), [(True, [{"key": []}]), (False, [{"key": []}, {}])]
)
def test_calls_say_which_key_they_ask_for(
    keys_required: bool, wanted: list[dict[str, list[str]]]
) -> None:
    app = DocumentedApi(keys_required=keys_required)
    app.include_router(tasks.router, prefix="/api/v1")
    app.include_router(health.router)
    document = app.openapi()
    scheme = document["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert document["security"] == wanted
    assert "security" not in document["paths"]["/api/v1/tasks"]["get"]
    assert "security" not in document["paths"]["/metrics"]["get"]
    assert document["paths"]["/healthz"]["get"]["security"] == []


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("post", "/tasks", {"202", "400", "401", "403", "408", "409", "413", "415", "422", "503"}),
        (
            "post",
            "/tasks/{task_id}/cancel",
            {"202", "401", "403", "404", "409", "413", "422", "503"},
        ),
        (
            "get",
            "/tasks/{task_id}/events",
            {"200", "204", "400", "401", "403", "404", "413", "422", "429", "503"},
        ),
    ],
)
def test_every_way_to_refuse_a_call_is_listed(
    document: dict[str, Any], method: str, path: str, statuses: set[str]
) -> None:
    responses = document["paths"][path][method]["responses"]
    assert responses.keys() == {*statuses, "default"}
    refusals = [responses[status]["content"] for status in statuses if status >= "400"]
    assert all(list(content) == ["application/problem+json"] for content in refusals)


def test_bodies_are_json_or_yaml(document: dict[str, Any]) -> None:
    body = document["paths"]["/tasks/{task_id}/retry"]["post"]["requestBody"]
    assert body["required"] is False
    assert body["content"].keys() == {"application/json", "application/yaml"}
    schema = {"$ref": "#/components/schemas/RetryRequest"}
    assert body["content"]["application/json"]["schema"] == schema
