"""What people do to a task: cancel, pause, resume, delete."""

from uuid import UUID

from fastapi import Request, Response

from api.http.dependencies import ActorDep, ServicesDep
from api.http.routes import tasks
from api.web.forms import own_path
from api.web.page import fields_of, pages, render, see_other
from api.web.task_header import HeaderDep

router = pages(prefix="/tasks/{task_id:uuid}")


@router.post("/pause")
async def pause(
    request: Request, task_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Pause before the next step or turn."""
    await tasks.pause(task_id, services, actor)
    return await _back(request, task_id)


@router.post("/resume")
async def resume(
    request: Request, task_id: UUID, services: ServicesDep, actor: ActorDep
) -> Response:
    """Go on."""
    await tasks.resume(task_id, services, actor)
    return await _back(request, task_id)


@router.get("/cancel")
async def ask_to_cancel(request: Request, header: HeaderDep) -> Response:
    """Say what cancelling does."""
    return render(request, "task/cancel.html", header=header)


@router.post("/cancel")
async def cancel(task_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Stop the task."""
    await tasks.cancel(task_id, services, actor)
    return see_other(f"/tasks/{task_id}")


@router.get("/delete")
async def ask_to_delete(request: Request, header: HeaderDep) -> Response:
    """Say what is deleted."""
    return render(request, "task/delete.html", header=header)


@router.post("/delete")
async def delete(task_id: UUID, services: ServicesDep, actor: ActorDep) -> Response:
    """Delete the task, and go to the others."""
    await tasks.delete_task(task_id, services, actor)
    return see_other("/")


async def _back(request: Request, task_id: UUID) -> Response:
    """Whichever tab the button was pressed on."""
    wanted = (await fields_of(request)).get("next", f"/tasks/{task_id}")
    return see_other(own_path(str(wanted)))
