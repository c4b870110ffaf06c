"""Routes are known at once, and worked out by FastAPI one by one."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import FastAPIError
from starlette.testclient import TestClient

from api.http import problems
from api.http import routes as calls
from api.http.calls import documented_api
from api.http.document.assembly import Place
from api.http.routing import LateRoute, Routes
from api.web import routes as pages
from workflows.discovery import modules_of


def _late_routes(app: FastAPI) -> Sequence[LateRoute]:
    return [route for route in app.routes if isinstance(route, LateRoute)]


def _worked_out(app: FastAPI) -> Iterator[str]:
    return (route.path for route in _late_routes(app) if "dependant" in vars(route))


def _app(routes: Routes) -> FastAPI:
    app = FastAPI(openapi_url=None)
    routes.add_to(app, "/v1")
    return app


def _two_routes() -> Routes:
    routes = Routes(prefix="/things")

    @routes.get("/{number}")
    async def show(number: int) -> dict[str, int]:
        return {"number": number}

    @routes.post("/{number}")
    async def change(number: int) -> None: ...

    return routes


def test_no_call_of_the_api_is_worked_out_as_it_starts() -> None:
    app = documented_api(Place())
    assert len(_late_routes(app)) > 100
    assert list(_worked_out(app)) == []


def _needs_of(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for each in dependant.dependencies:
        assert each.call is not None
        yield each.call
        yield from _needs_of(each)


def _is_asynchronous(call: Callable[..., Any]) -> bool:
    asked = call if inspect.isroutine(call) else type(call).__call__
    return inspect.iscoroutinefunction(asked) or inspect.isasyncgenfunction(asked)


def test_nothing_that_a_call_depends_on_is_made_in_a_thread() -> None:
    # FastAPI has one make whatever is not asynchronous, which takes longer than the making.
    needs = {
        need
        for route in _late_routes(documented_api(Place()))
        for need in _needs_of(route.dependant)
    }
    assert [need for need in needs if not _is_asynchronous(need)] == []


def test_a_route_is_found_below_the_root_of_its_application() -> None:
    client = TestClient(_app(_two_routes()), root_path="/below")
    assert client.get("/below/v1/things/7").json() == {"number": 7}
    assert client.get("/below/things/7").status_code == 404


def test_a_request_works_out_its_own_route_and_no_other() -> None:
    app = _app(_two_routes())
    client = TestClient(app)
    assert client.get("/v1/things/7").json() == {"number": 7}
    assert client.get("/v1/things/x").status_code == 422
    assert client.put("/v1/things/7").status_code == 405
    [worked_out] = [route for route in _late_routes(app) if "dependant" in vars(route)]
    assert worked_out.methods == {"GET"}


def test_fastapi_takes_every_route_there_is() -> None:
    """It would refuse a wrong one only when somebody asks for it."""
    app = FastAPI(openapi_url=None)
    for module in (*modules_of(calls), *modules_of(pages)):
        module.router.add_to(app)
    late = _late_routes(app)
    assert len(late) > 200
    assert [route.path for route in late if not route.dependant] == []


def test_what_a_wrong_path_may_have_meant_is_said_without_the_document() -> None:
    app = documented_api(Place())
    problems.install(app)
    answer = TestClient(app).get("/api/v1/taks")
    assert answer.status_code == 404
    assert "Did you mean /api/v1/tasks?" in answer.json()["detail"]
    assert app.openapi_schema is None
    assert list(_worked_out(app)) == []


def test_the_document_has_all_routes_of_the_application() -> None:
    assert [*_app(_two_routes()).openapi()["paths"]["/v1/things/{number}"]] == ["get", "post"]


def test_what_is_wrong_with_a_route_is_said_when_it_is_worked_out() -> None:
    routes = Routes()

    @routes.get("/odd")
    async def odd() -> object:
        return None

    [route] = _late_routes(_app(routes))
    route._options["response_model"] = TestClient
    for _ in range(2):  # Each request that asks for it is told.
        with pytest.raises(FastAPIError, match="Invalid args for response field"):
            _ = route.dependant
