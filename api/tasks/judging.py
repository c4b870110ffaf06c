"""Judging what is asked of a task, whole: by what workers can tell, and by whom it is to call."""

from uuid import UUID

from activities.kinds.errors import TaskRefused
from activities.submissions import Submission, submission_of
from api.services import Services
from api.webhooks.receivers import problems_with_callbacks
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import Problem


async def judge(
    services: Services, team_id: UUID, request: TaskRequest, *, was_accepted: bool = False
) -> Submission:
    """Raises ``TaskRefused`` with everything that is wrong."""
    problems: list[Problem] = [*await problems_with_callbacks(services, team_id, request.callbacks)]
    try:
        submission = submission_of(request, was_accepted=was_accepted)
        await submission.check(services.installed, team_id)
    except TaskRefused as refused:
        raise TaskRefused([*refused.problems, *problems]) from refused
    if problems:
        raise TaskRefused(problems)
    return submission
