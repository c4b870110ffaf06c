"""Requests are counted and logged by the templates of the OpenAPI document."""

from fastapi.routing import iter_route_contexts

from api.http.calls import documented_api
from api.http.document.assembly import Place
from api.http.paths import template_of
from tests.unit.api.http.described import the_document


def test_a_request_has_the_template_that_the_document_has_for_its_path() -> None:
    app = documented_api(Place())
    told = {
        template_of({"route": each.original_route, "path": each.path_format})
        for each in iter_route_contexts(app.routes)
        if getattr(each, "include_in_schema", False)
    }
    assert told == the_document()["paths"].keys()
    assert {"/api/v1/tasks/{task_id}", "/api/v1/tasks/{task_id}/events", "/healthz"} <= told


def test_what_no_route_was_found_for_has_no_template() -> None:
    assert template_of({"path": "/made/up"}) == "(none)"
