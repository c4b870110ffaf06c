"""Routes that cost little until they are asked for.

FastAPI reads the signatures of a route, and makes models of what it takes and gives, when it is
declared, and once more when its router is included. That is 4 ms for each of 260 routes, of which
most processes answer few.
"""

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from fastapi import APIRouter, FastAPI, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.routing import Match, compile_path, get_name
from starlette.types import Scope

_OF_THE_PATH = frozenset({"path_regex", "path_format", "param_convertors"})


class LateRoute(APIRoute):
    """Known by its path and its methods. All else is worked out when something of it is read."""

    _is_worked_out = True

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        # The document is made in a thread, and has FastAPI work out the same routes.
        self._working_out = threading.RLock()
        self._options = options
        self._is_worked_out = False
        self.path, self.endpoint = path, endpoint
        self._beginning = path.partition("{")[0]
        self.name = options.get("name") or get_name(endpoint)
        self.methods = {method.upper() for method in options.get("methods") or ("GET",)}
        self.include_in_schema = options.get("include_in_schema", True)

    def __getattr__(self, name: str) -> Any:
        """Python asks here for what is not there, or not yet."""
        if not self._is_worked_out:
            with self._working_out:
                if name in _OF_THE_PATH:
                    path = compile_path(self.path)
                    self.path_regex, self.path_format, self.param_convertors = path
                else:
                    self._work_out()
        return object.__getattribute__(self, name)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        # Of all routes each request asks half: most can be told from it by how they begin.
        if not scope["path"].startswith(self._beginning) and not scope.get("root_path"):
            return Match.NONE, {}
        return super().matches(scope)

    @cached_property
    def query_names(self) -> tuple[str, ...]:
        """As ``query_names_of``. Each request asks for them."""
        return query_names_of(self)

    def _work_out(self) -> None:
        """Raises ``FastAPIError``, each time it is tried: the route is wrong."""
        if self._is_worked_out:
            return
        known = dict(vars(self))
        self._is_worked_out = True  # What is read of it from here on is there, or will never be.
        try:
            super().__init__(self.path, self.endpoint, **self._options)
        except BaseException:
            vars(self).clear()
            vars(self).update(known)
            raise

    def add_to(self, app: FastAPI, prefix: str) -> None:
        # Which is the application's own.
        options = {k: v for k, v in self._options.items() if k != "dependency_overrides_provider"}
        path, kind = f"{prefix}{self.path}", type(self)
        app.router.add_api_route(path, self.endpoint, route_class_override=kind, **options)


class Routes(APIRouter):
    """The routes of a module, for an application that they are added to."""

    def __init__(self, *, route_class: type[LateRoute] = LateRoute, **options: Any) -> None:
        super().__init__(route_class=route_class, **options)

    def add_to(self, app: FastAPI, prefix: str = "") -> None:
        """Instead of ``include_router``, which would have each worked out twice."""
        for route in self.routes:
            cast(LateRoute, route).add_to(app, prefix)


def query_names_of(route: APIRoute) -> tuple[str, ...]:
    """Of the parameters that the query of a route may have."""
    return tuple(
        field.alias
        for field in get_flat_params(route.dependant)
        if isinstance(field.field_info, params.Query)
    )
