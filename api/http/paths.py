"""What kind of answer a path gives: JSON, or a page for people; and the template of a path."""

from starlette.types import Scope

from api.wire.responses.base import API

# They reveal nothing about a team.
_PUBLIC = (f"{API}/openapi.json", "/healthz", "/readyz", "/login")
STATIC = "/static"
DOCS = "/docs"
METRICS = "/metrics"
_CODEC = "/codec"
_MACHINES = ("/api", _CODEC, STATIC, "/healthz", "/readyz", METRICS)


def is_guarded(path: str) -> bool:
    """Whether a path asks for a key, where keys are required. The codec has a guard of its own."""
    return path not in _PUBLIC and not _is_below(path, (STATIC, _CODEC))


def is_page(path: str) -> bool:
    """Whether it is for people to look at: what goes wrong there is told as a page too."""
    return not _is_below(path, _MACHINES)


def template_of(scope: Scope) -> str:
    """That of the route which was found for a request, as the OpenAPI document has it.

    Of what no route was found for, only that: a path is whatever a stranger makes up.
    """
    template = getattr(scope.get("route"), "path_format", None)
    return "(none)" if template is None else str(template)


def _is_below(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(f"{root}/") for root in roots)
