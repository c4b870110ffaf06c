"""All calls of the JSON API, whether they are served or only described."""

from functools import cache
from importlib.metadata import version
from typing import Any

from api.http import routes
from api.http.document.assembly import Place
from api.http.openapi import DocumentedApi
from api.wire.responses.base import API
from workflows.discovery import modules_of


def documented_api(place: Place, **options: Any) -> DocumentedApi:
    """An application that has all calls, and nothing that answers them yet."""
    app = DocumentedApi(
        place=place,
        title="AgentOS",
        version=agentos_version(),
        license_info={"name": "All rights reserved", "identifier": "LicenseRef-Proprietary"},
        # The pages of FastAPI's own come from somebody else's server.
        docs_url=None,
        redoc_url=None,
        **options,
    )
    for module in modules_of(routes):
        module.router.add_to(app, getattr(module, "PREFIX", API))
    return app


@cache
def agentos_version() -> str:
    return version("agentos")
