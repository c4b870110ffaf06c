"""What a task was given and asked, beside others like it, and as it was written."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Request, Response
from markupsafe import Markup

from activities.off_loop import off_loop
from api.errors import NotFound
from api.http.dependencies import ServicesDep, TeamDep
from api.http.routes.comparison import compare
from api.http.routes.skills import get_skill
from api.http.routes.task_inputs import list_inputs
from api.services import Services
from api.web.headers import PAGE_HEADERS
from api.web.page import pages, render
from api.web.task_definition import skills_in, submitted
from api.web.task_header import HeaderDep
from api.web.text.code import highlight
from api.web.text.pretty import written_json
from api.wire.responses.comparison import Comparison
from api.wire.responses.files import TaskInputList
from api.wire.responses.skills import Skill
from api.wire.responses.tasks import Task
from api.wire.yaml_writer import yaml_text
from workflows.states import TaskType

router = pages(prefix="/tasks/{task_id:uuid}")

MAX_SKILLS = 100


@router.get("/inputs")
async def inputs_page(
    request: Request,
    header: HeaderDep,
    inputs: Annotated[TaskInputList, Depends(list_inputs)],
    services: ServicesDep,
    team_id: TeamDep,
) -> Response:
    """Show the prompt, the files that were given, and the skills that are named."""
    names = skills_in(header.task.definition)[:MAX_SKILLS]
    skills = [(name, await _skill(name, services, team_id)) for name in names]
    return render(request, "task/inputs.html", header=header, inputs=inputs.items, skills=skills)


async def _skill(name: str, services: Services, team_id: UUID) -> Skill | None:
    try:
        return await get_skill(name, services, team_id)
    except NotFound:
        return None


@router.get("/comparison")
async def comparison_page(
    request: Request, header: HeaderDep, compared: Annotated[Comparison, Depends(compare)]
) -> Response:
    """Show the task beside the last good run of its name."""
    return render(request, "task/comparison.html", header=header, compared=compared)


@router.get("/raw")
async def raw_page(
    request: Request, header: HeaderDep, form: Literal["yaml", "json"] = "yaml"
) -> Response:
    """Show what was submitted, and the result, as they were written."""
    definition, result = await off_loop(_written, header.task, form)
    return render(
        request,
        "task/raw.html",
        header=header,
        form=form,
        definition=definition,
        result=result,
    )


def _written(task: Task, form: str) -> tuple[Markup, Markup | None]:
    """What was submitted, and the result if there is one."""
    document = submitted(task)
    text = yaml_text(document) if form == "yaml" else written_json(document)
    result = task.model_dump(mode="json", include={"result"})["result"]
    return highlight(text, form), highlight(written_json(result), "json") if result else None


@router.get("/definition.yaml")
async def definition_file(header: HeaderDep) -> Response:
    """Download what was submitted: for a pipeline what ``agentos submit pipeline`` takes."""
    task = header.task
    kind = "pipeline" if task.type is TaskType.PIPELINE else "task"
    name = f"{kind}-{task.task_id}.yaml"
    return Response(
        await off_loop(lambda: yaml_text(submitted(task))),
        media_type="application/yaml",
        headers={**PAGE_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'},
    )
