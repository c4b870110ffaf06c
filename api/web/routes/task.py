"""A task: what happened in it and when, whatever is selected of that, and its graph."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request, Response
from markupsafe import Markup

from activities.off_loop import off_loop
from api.http.dependencies import ServicesDep, TeamDep
from api.http.routes.task_history import trace
from api.web.drawing.graph import graph
from api.web.drawing.timeline import timeline
from api.web.page import pages, render
from api.web.task_header import HeaderDep
from api.web.task_result import result_of
from api.web.task_selection import StepKey, first_key, graph_of, plan_of, selection_of
from api.wire.responses.history import Span
from api.wire.responses.plans import PlanOfTask
from api.wire.responses.tasks import Task

router = pages(prefix="/tasks/{task_id:uuid}")

TraceDep = Annotated[Span, Depends(trace)]


@router.get("")
async def task_page(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    header: HeaderDep,
    root: TraceDep,
    services: ServicesDep,
    team_id: TeamDep,
    step: StepKey = None,
) -> Response:
    """Show when each step ran, the graph of a plan, the selected step, and the result."""
    task, now = header.task, datetime.now(UTC)
    plan = await plan_of(services, team_id, task)
    key = step or first_key(task)
    return render(
        request,
        "task/overview.html",
        header=header,
        timeline=await off_loop(timeline, root, now, key),
        graph=await off_loop(_graph, task, plan, now, key) if plan and plan.nodes else None,
        plan=plan,
        selection=key and await selection_of(services, team_id, task, root, plan, key=key),
        result=await off_loop(result_of, task),
    )


@router.get("/graph")
async def graph_page(  # noqa: PLR0917  (what FastAPI gives)
    request: Request,
    header: HeaderDep,
    root: TraceDep,
    services: ServicesDep,
    team_id: TeamDep,
    step: StepKey = None,
) -> Response:
    """Show which nodes or steps wait for which."""
    task = header.task
    plan = await plan_of(services, team_id, task)
    return render(
        request,
        "task/graph.html",
        header=header,
        graph=await off_loop(_graph, task, plan, datetime.now(UTC), step),
        plan=plan,
        selection=step and await selection_of(services, team_id, task, root, plan, key=step),
    )


def _graph(task: Task, plan: PlanOfTask | None, now: datetime, key: str | None) -> Markup | None:
    nodes = graph_of(task, plan)
    return graph(nodes, now, key) if nodes else None
