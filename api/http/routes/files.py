"""Files: upload, and download of uploads and artifacts."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, UploadFile

from activities.store import files as store
from activities.store.files import StoredBlob
from activities.store.reading.files import list_uploads
from api.errors import NotFound, RangeRefused
from api.http.dependencies import ServicesDep, TeamDep
from api.http.downloads import head_of, send_blob
from api.http.openapi import FILE, refusals
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.uploads import FORM, store_upload, uploaded_file
from api.services import Services
from api.tasks.views import Views
from api.wire.responses import files as answers
from api.wire.responses.pages import DEFAULT_PAGE, Page

router = APIRouter(tags=["files"])


@router.post("/files", status_code=201, openapi_extra={"requestBody": FORM})
async def upload(
    response: Response,
    services: ServicesDep,
    team_id: TeamDep,
    file: Annotated[UploadFile, Depends(uploaded_file)],
) -> answers.UploadedFile:
    """Upload a file. Use ``file:<id>`` as an input of a task.

    The same bytes under the same name and type are the same file: its id comes back, and
    ``existed`` says so.
    """
    kept = await store_upload(
        services.database,
        services.blobs,
        team_id,
        file,
        max_bytes=services.options.max_upload_bytes,
    )
    view = Views(services.options).file(kept.file)
    response.headers["Location"] = view.url
    return answers.UploadedFile(**view.model_dump(), existed=kept.existed)


@router.get("/files")
async def list_files(
    services: ServicesDep,
    team_id: TeamDep,
    cursor: CursorText = None,
    limit: Limit = DEFAULT_PAGE,
) -> Page[answers.ListedFile]:
    """List what was uploaded, the newest first."""
    found, following = await list_uploads(services.database, team_id, parse_cursor(cursor), limit)
    views = Views(services.options)
    items = [
        answers.ListedFile(**views.file(each).model_dump(), created_at=each.created_at)
        for each in found
    ]
    return Page(items=items, next_cursor=cursor_text(following))


@router.head("/files/{file_id}", operation_id="head_file", response_class=Response)
@router.get(
    "/files/{file_id}",
    operation_id="get_file",
    response_class=Response,
    responses={**FILE, **refusals(RangeRefused)},
)
async def get_file(
    file_id: UUID, request: Request, services: ServicesDep, team_id: TeamDep
) -> Response:
    """Download an uploaded file. Supports ``Range``."""
    blob = await store.find_file(services.database, team_id, file_id)
    if blob is None:
        raise NotFound(kind="file", id=file_id)
    return await _send(services, team_id, blob, request)


@router.head("/artifacts/{artifact_id}", operation_id="head_artifact", response_class=Response)
@router.get(
    "/artifacts/{artifact_id}",
    operation_id="get_artifact",
    response_class=Response,
    responses={**FILE, **refusals(RangeRefused)},
)
async def get_artifact(
    artifact_id: UUID, request: Request, services: ServicesDep, team_id: TeamDep
) -> Response:
    """Download a file that a task made. Supports ``Range``."""
    blob = await store.find_artifact(services.database, team_id, artifact_id)
    if blob is None:
        raise NotFound(kind="artifact", id=artifact_id)
    return await _send(services, team_id, blob, request)


async def _send(services: Services, team_id: UUID, blob: StoredBlob, request: Request) -> Response:
    if request.method == "HEAD":
        return head_of(blob)
    return await send_blob(services.blobs, team_id, blob, request.headers)
