"""Files: upload, and download of uploads and artifacts."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response, UploadFile

from activities.store import files as store
from activities.store.file_removal import FileUser, remove_file
from activities.store.files import StoredBlob
from activities.store.reading.files import list_uploads
from api.errors import FileInUse, NotFound
from api.http.dependencies import ActorDep, ServicesDep, TeamDep
from api.http.downloads import head_of, send_blob
from api.http.openapi import FILE, FILE_HEADERS, HEAD, refusals
from api.http.paging import CursorText, Limit, cursor_text, parse_cursor
from api.http.routing import Routes
from api.http.uploads import FORM, store_upload, uploaded_file
from api.services import Services
from api.tasks.views import Views
from api.wire.responses import files as answers
from api.wire.responses.pages import DEFAULT_PAGE, Page

router = Routes(tags=["files"])


@router.post(
    "/files", status_code=201, openapi_extra={"requestBody": FORM}, operation_id="uploadFile"
)
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


@router.head("/files/{file_id}", operation_id="headFile", response_class=Response, responses=HEAD)
@router.get(
    "/files/{file_id}",
    operation_id="downloadFile",
    response_class=Response,
    responses=FILE,
    openapi_extra=FILE_HEADERS,
)
async def get_file(
    file_id: UUID, request: Request, services: ServicesDep, team_id: TeamDep
) -> Response:
    """Download an uploaded file. Supports ``Range``."""
    blob = await store.find_file(services.database, team_id, file_id)
    if blob is None:
        raise NotFound(kind="file", id=file_id)
    return await _send(services, team_id, blob, request)


@router.delete("/files/{file_id}", status_code=204, responses=refusals(FileInUse))
async def delete_file(file_id: UUID, services: ServicesDep, actor: ActorDep) -> None:
    """Delete an uploaded file. One that a task needs which has not ended, a schedule, or a message
    that no agent has read, is refused; tasks that have ended stay, and cannot read it again."""
    try:
        user = await remove_file(services.database, actor, file_id)
    except LookupError:
        raise NotFound(kind="file", id=file_id) from None
    if user is not None:
        raise FileInUse(id=file_id, reason=_why_kept(user))


def _why_kept(user: FileUser) -> str:
    if user.kind == "task":
        return f"task {user.name}, which has not ended, was given it; cancel that first, or wait"
    if user.kind == "schedule":
        return f"schedule {user.name!r} gives it to its runs; change its inputs, or delete it first"
    return f"message {user.name} brings it to an agent that has not read it yet"


@router.head(
    "/artifacts/{artifact_id}", operation_id="headArtifact", response_class=Response, responses=HEAD
)
@router.get(
    "/artifacts/{artifact_id}",
    operation_id="downloadArtifact",
    response_class=Response,
    responses=FILE,
    openapi_extra=FILE_HEADERS,
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
