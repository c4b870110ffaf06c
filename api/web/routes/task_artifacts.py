"""The files of a task, and what one of them looks like."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from activities.off_loop import off_loop
from activities.store.files import StoredBlob, find_artifact
from api.errors import NotFound
from api.http.dependencies import ServicesDep, TeamDep
from api.http.downloads import send_blob
from api.http.file_names import disposition
from api.http.paging import CursorText
from api.http.routes.task_history import artifacts
from api.services import Services
from api.web.page import pages, render, see_other
from api.web.previews.preview import PDF_BEGINNING, READ_BYTES, Kind, kind_of, preview_of
from api.web.task_header import HeaderDep
from api.wire.responses.base import API
from api.wire.responses.files import Artifact
from api.wire.responses.pages import Page

router = pages()

# What an HTML file may do: look like something.
_FRAME_HEADERS = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}
# The browser's own viewer shows a PDF, apart from our page. It does not start within a sandbox.
# That the file is nothing else follows from its beginning, and its type, which is not guessed at.
_PDF_HEADERS = {
    **_FRAME_HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    ),
}
_MAX_FRAME_BYTES = 4 * 1024 * 1024


@router.get("/tasks/{task_id:uuid}/artifacts")
async def artifacts_page(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    header: HeaderDep,
    services: ServicesDep,
    team_id: TeamDep,
    found: Annotated[Page[Artifact], Depends(artifacts)],
    artifact: UUID | None = None,
    cursor: CursorText = None,
) -> Response:
    """List the files, and show one of them."""
    blob = artifact and await _found(services, team_id, artifact)
    beginning = await _beginning(services, team_id, blob) if blob else b""
    return render(
        request,
        "task/artifacts.html",
        header=header,
        artifacts=found.items,
        next=found.next_cursor,
        cursor=cursor,
        blob=blob,
        preview=blob and await off_loop(preview_of, blob, beginning),
    )


@router.get("/artifacts/{artifact_id:uuid}/frame")
async def frame(
    request: Request, artifact_id: UUID, services: ServicesDep, team_id: TeamDep
) -> Response:
    """Send an HTML file for a frame in which nothing runs, and which loads nothing. By itself it
    could pass for a page of ours: so it is downloaded then."""
    if request.headers.get("sec-fetch-dest") == "document":
        return see_other(f"{API}/artifacts/{artifact_id}")
    blob = await _found(services, team_id, artifact_id)
    if kind_of(blob) is not Kind.FRAME:
        raise NotFound(kind="page of HTML", id=artifact_id)
    content = await _read(services, team_id, blob, _MAX_FRAME_BYTES)
    return Response(content, headers=_FRAME_HEADERS, media_type="text/html; charset=utf-8")


@router.get("/artifacts/{artifact_id:uuid}/pdf")
async def pdf(
    request: Request, artifact_id: UUID, services: ServicesDep, team_id: TeamDep
) -> Response:
    """Send a PDF to be shown, not downloaded."""
    blob = await _found(services, team_id, artifact_id)
    beginning = await _read(services, team_id, blob, len(PDF_BEGINNING))
    if preview_of(blob, beginning).kind is not Kind.PDF:
        raise NotFound(kind="PDF", id=artifact_id)
    response = await send_blob(services.blobs, team_id, blob, request.headers)
    response.headers.update(_PDF_HEADERS)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = disposition(blob.name, is_shown=True)
    return response


async def _found(services: Services, team_id: UUID, artifact_id: UUID) -> StoredBlob:
    blob = await find_artifact(services.database, team_id, artifact_id)
    if blob is None:
        raise NotFound(kind="artifact", id=artifact_id)
    return blob


async def _beginning(services: Services, team_id: UUID, blob: StoredBlob) -> bytes:
    # The browser fetches these itself.
    if kind_of(blob) in {Kind.IMAGE, Kind.FRAME}:
        return b""
    return await _read(services, team_id, blob, READ_BYTES)


async def _read(services: Services, team_id: UUID, blob: StoredBlob, most: int) -> bytes:
    length = min(blob.size, most)
    if length == 0:  # The store would take it for "all".
        return b""
    chunks = services.blobs.stream(team_id, blob.sha256, length=length)
    return b"".join([chunk async for chunk in chunks])
