"""The files of a task, and what one of them looks like."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from activities.off_loop import off_loop
from activities.store.files import StoredBlob, find_artifact
from api.errors import NotFound
from api.http.dependencies import ServicesDep, TeamDep
from api.http.paging import CursorText
from api.http.routes.task_history import artifacts
from api.services import Services
from api.web.page import pages, render
from api.web.previews.preview import READ_BYTES, Kind, kind_of, preview_of
from api.web.task_header import HeaderDep
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
async def frame(artifact_id: UUID, services: ServicesDep, team_id: TeamDep) -> Response:
    """Send an HTML file for a frame in which nothing runs, and which loads nothing."""
    blob = await _found(services, team_id, artifact_id)
    if kind_of(blob) is not Kind.FRAME:
        raise NotFound(kind="page of HTML", id=artifact_id)
    content = await _read(services, team_id, blob, _MAX_FRAME_BYTES)
    return Response(content, headers=_FRAME_HEADERS, media_type="text/html; charset=utf-8")


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
