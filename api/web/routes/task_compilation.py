"""What an agent or a plan did, as a pipeline that needs no model."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from markupsafe import Markup
from pydantic import JsonValue

from activities.off_loop import off_loop
from api.http.bodies import checked
from api.http.dependencies import ServicesDep, TeamDep
from api.http.routes.compilation import compile_
from api.web.page import pages, render
from api.web.task_header import HeaderDep
from api.web.text.code import highlight
from api.wire.requests import MAX_ACCEPTED, CompileRequest
from api.wire.yaml_writer import yaml_text

router = pages(prefix="/tasks/{task_id:uuid}/compile")

Accepted = Annotated[tuple[str, ...], Query(max_length=MAX_ACCEPTED)]


@router.get("")
async def compile_page(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    task_id: UUID,
    header: HeaderDep,
    services: ServicesDep,
    team_id: TeamDep,
    accept: Accepted = (),
) -> Response:
    """Show the pipeline, or why there is none. Nothing runs."""
    given: list[JsonValue] = [*accept]
    wanted = checked(CompileRequest, {"accept": given})
    compiled = await compile_(task_id, services, team_id, wanted)
    text, shown = await off_loop(_written, compiled.pipeline)
    return render(
        request,
        "task/compile.html",
        header=header,
        compiled=compiled,
        text=text,
        shown=shown,
        accepted=accept,
    )


def _written(pipeline: JsonValue) -> tuple[str, Markup]:
    text = yaml_text(pipeline) if pipeline else ""
    return text, highlight(text, "yaml")
