"""Bulk runs: how far one is, what became of what it has dealt with, and its end by hand."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from api.http.bodies import checked
from api.http.dependencies import ActorDep, ServicesDep
from api.http.routes.bulk import abort_bulk, get_bulk, list_bulk
from api.web.forms import text_of
from api.web.page import fields_of, pages, render, see_other
from api.web.paging import first_page, next_page
from api.wire.bulk import AbortRequest
from api.wire.responses.bulk import BulkRun
from api.wire.responses.pages import Page

router = pages()


@router.get("/bulk")
async def bulk_runs_page(
    request: Request, runs: Annotated[Page[BulkRun], Depends(list_bulk)]
) -> Response:
    """List bulk runs, the newest first."""
    return render(
        request,
        "bulk/list.html",
        runs=runs,
        first=first_page(request),
        next=next_page(request, runs),
    )


@router.get("/bulk/{bulk_id:uuid}")
async def bulk_run_page(request: Request, run: Annotated[BulkRun, Depends(get_bulk)]) -> Response:
    """Show how far a bulk run is."""
    return render(request, "bulk/run.html", run=run)


@router.post("/bulk/{bulk_id:uuid}/abort")
async def abort_on_page(
    request: Request, bulk_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Leave what is left as it is."""
    fields = await fields_of(request)
    wanted = checked(AbortRequest, {"note": text_of(fields, "note").strip()})
    await abort_bulk(bulk_id, services, actor, wanted)
    return see_other(f"/bulk/{bulk_id}")
