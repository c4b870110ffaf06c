"""What is wrong with a request for a task of some type, whatever is installed."""

from activities.kinds.errors import TaskRefused
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import Problem

# The fields of a request that define the work, each for the type of its name.
_FIELDS = ("pipeline", "agent", "plan")


def check_fields(request: TaskRequest, own: str) -> None:
    """Raises ``TaskRefused`` when a request has the field of another type than its ``own``."""
    for name in _FIELDS:
        if name != own and getattr(request, name) is not None:
            raise TaskRefused([Problem(f"/{name}", f"a task of type {own} has no {name}")])


def check_prompt(request: TaskRequest, message: str) -> None:
    """Raises ``TaskRefused`` with the ``message`` when nobody has said what to do."""
    if not (request.prompt or "").strip():
        raise TaskRefused([Problem("/prompt", message)])
