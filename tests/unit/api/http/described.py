"""The OpenAPI document, made once for all tests that look at it."""

from functools import cache
from typing import Any

from api.http.calls import documented_api
from api.http.document.assembly import Place

Json = dict[str, Any]


@cache
def the_document() -> Json:
    return documented_api(Place()).openapi()
