"""Swagger UI, which shows the calls of the API: from the wheel that carries it, and no server."""

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from api.http.paths import STATIC
from api.web.static_files import PageFiles

_PACKAGE = "fastapi_swagger"

# Its path names the version, so that browsers keep it.
ROOT = f"{STATIC}/swagger-ui-{version('fastapi-swagger')}"


def swagger_files() -> PageFiles:
    """The files below ``ROOT``. The package's own code is not run."""
    found = find_spec(_PACKAGE)
    assert found is not None
    assert found.submodule_search_locations is not None
    return PageFiles(Path(found.submodule_search_locations[0]) / "resources")
