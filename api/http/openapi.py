"""The OpenAPI document of the API, and what routes say of themselves that FastAPI cannot know."""

import hashlib
import json
from functools import cached_property
from typing import Any

from fastapi import FastAPI, Request, Response

from activities.off_loop import off_loop
from api.errors import RangeRefused, RequestRefused
from api.http.document import answers
from api.http.document.assembly import TOKEN, Place, finish
from api.http.document.events import STREAM_TYPE
from api.http.document.operations import operation_id
from api.http.document.shapes import Schema, ref
from api.wire.responses.base import API

DOCUMENT_PATH = f"{API}/openapi.json"

# Of a route that asks for the token; the user who runs the server may need none.
TOKEN_NEEDED: dict[str, Any] = {"security": [{TOKEN: []}, {}]}


class DocumentedApi(FastAPI):
    """Describes its calls for people and for generators of clients. That takes a second, so it is
    done once, beside the event loop, when somebody asks for it."""

    def __init__(self, *, place: Place | None = None, **options: Any) -> None:
        super().__init__(
            responses={"default": answers.shared_refusal()},
            openapi_url=None,
            generate_unique_id_function=operation_id,
            **options,
        )
        self._place = place or Place()
        self.add_route(DOCUMENT_PATH, _send_document, include_in_schema=False)

    def openapi(self) -> Schema:
        if self.openapi_schema is None:
            written = super().openapi()
            self.openapi_schema = None  # Nobody must see it before it is finished.
            self.openapi_schema = finish(written, self.routes, self._place)
        return self.openapi_schema

    @cached_property
    def document(self) -> tuple[bytes, str]:
        """It as it is sent, and its ETag."""
        content = json.dumps(self.openapi(), ensure_ascii=False, separators=(",", ":")).encode()
        return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


async def _send_document(request: Request) -> Response:
    content, etag = await off_loop(_document_of, request.app)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")


def _document_of(app: DocumentedApi) -> tuple[bytes, str]:
    return app.document


def refusals(*errors: type[RequestRefused]) -> dict[int | str, Schema]:
    """For ``responses`` of a route: how it refuses requests beside what any call may do."""
    return {
        status: answers.refusal(status, alike)
        for status, alike in answers.statuses_of(errors).items()
    }


def stream_of(events: str, description: str) -> dict[int | str, Schema]:
    """For ``responses`` of a route that sends events, of which there is a schema."""
    words = (
        f"{description} The schema is of one event, with what its `data` line says in JSON. "
        "Comments between events keep the connection alive and say nothing."
    )
    return {200: {"description": words, "content": {STREAM_TYPE: {"schema": ref(events)}}}}


_BYTES = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
_OF_FILES = ("Accept-Ranges", "Content-Disposition", "Content-Length", "ETag")


def _file(description: str, *headers: str) -> Schema:
    """It has the type that the file was stored with."""
    return {
        "description": description,
        "headers": answers.headers(*sorted((*_OF_FILES, *headers))),
        "content": {"application/octet-stream": {"schema": _BYTES}, "*/*": {"schema": _BYTES}},
    }


# The answers of a call that sends a file, and what it may be sent.
FILE: dict[int | str, Schema] = {
    200: _file("The file, with the media type that it was stored with."),
    206: _file("The part of it that was asked for.", "Content-Range"),
    304: {"description": "You have it already.", "headers": answers.headers("ETag")},
    **refusals(RangeRefused),
}
_REQUEST_HEADERS = {
    "Range": ("Which bytes to send; a single range.", "bytes=0-1023"),
    "If-Range": ("Send the whole file if its `ETag` is not this one any more.", '"2c26b46b68ff"'),
    "If-None-Match": ("Send nothing if this is the `ETag` still.", '"2c26b46b68ff"'),
}
FILE_HEADERS: dict[str, Any] = {
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": words,
            "schema": {"type": "string"},
            "example": example,
        }
        for name, (words, example) in _REQUEST_HEADERS.items()
    ]
}
HEAD: dict[int | str, Schema] = {
    200: {
        "description": "The headers of the file.",
        "headers": answers.headers(*_OF_FILES),
    }
}

# That of a call that sends files as one.
ARCHIVE: dict[int | str, Schema] = {
    200: {
        "description": "The files, with their names made safe and unique.",
        "headers": answers.headers("Content-Disposition"),
        "content": {
            "application/zip": {"schema": {**_BYTES, "contentMediaType": "application/zip"}}
        },
    }
}
