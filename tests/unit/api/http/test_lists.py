"""No list stops without a word: it comes in pages, or something else bounds what there is."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from api.http import routes
from api.http.openapi import DocumentedApi

Json = dict[str, Any]

# Why those that do not come in pages, need not: by the call and the path to the list.
BOUNDED = {
    "/schedules/{schedule_id} runs": "the last ten",
    "/agent-templates items": "a team may have 200 of them, and there may be 1,000 files",
    "/agent-templates refused": "as above",
    "/limits items": "those that the operator, and people of the team, have set",
    "/readyz dependencies": "the parts of the stack",
    "/skills items": "the folders of skills, all of which are in memory",
    "/skills refused": "as above",
    "/skills/{name} scripts": "the files of one skill, whose number is limited",
    "/skills/{name} files": "as above",
    "/skills/{name} warnings": "as above",
    "/skills/{name} allowed_tools": "the head of one file, whose size is limited",
    "/tools/{name} refused": "the tools that a server offers, whose number is limited",
    "/groups/{group_id} members": "a group may have 100 of them",
    "/housekeeping sweeps": "as many as there are in our code",
    "/bulk/{bulk_id} skipped": "the codes of errors, and 20 of them at most",
    "/usage days": "as many days as were asked for",
    "/tasks/{task_id} sub_tasks": "a pipeline's steps are limited, of an agent's calls it says so",
    "/tasks/{task_id} artifacts": "it says so, and has a list of its own",
    "/tasks/{task_id}/comparison definition": "it says so in is_cut",
    "/tasks/{task_id}/comparison result": "it says so in is_cut",
    "/tasks/{task_id}/comparison inputs": "a task has a limited number",
    "/tasks/{task_id}/comparison steps": "those of two tasks, as these show them",
    "/tasks/{task_id}/comparison files": "as above",
    "/tasks/{task_id}/inputs items": "a task may have 64 of them",
    "/tasks/{task_id}/messages/unread items": "a task can be told 200 messages",
    "/tasks/{task_id}/plan nodes": "a plan has 50 at most, and a revision adds three",
    "/tasks/{task_id}/plan revisions": "a plan is revised five times at most",
    "/tasks/{task_id}/trace children": "it says so in is_cut",
    "/webhooks items": "a team may have 50 of them",
    "/webhooks/{webhook_id} events": "there are six",
    "/webhooks/deliveries/{delivery_id} attempts": "the last 50 are kept",
}


def lists_of(document: Json, schema: Json) -> set[str]:
    """The fields of an answer that are lists."""
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    fields: Json = document["components"]["schemas"].get(name, schema).get("properties", {})
    return {name for name, field in fields.items() if field.get("type") == "array"}


def answers_of(document: Json) -> dict[str, tuple[Json, Json]]:
    """Every reading call, and what it answers."""
    found = {}
    for path, calls in document["paths"].items():
        content = calls.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" in content:
            found[path] = (calls["get"], content["application/json"]["schema"])
    return found


@pytest.fixture(scope="module")
def document() -> Json:
    app = DocumentedApi()
    for found in iter_modules(routes.__path__):
        app.include_router(import_module(f"{routes.__name__}.{found.name}").router)
    return app.openapi()


def test_every_list_comes_in_pages_or_is_bounded(document: Json) -> None:
    found = set()
    for path, (call, schema) in answers_of(document).items():
        has_cursor = any(given["name"] == "cursor" for given in call.get("parameters", ()))
        for name in lists_of(document, schema):
            if name == "items" and has_cursor:
                continue
            found.add(f"{path} {name}")
    assert found == set(BOUNDED)
