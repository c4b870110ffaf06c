"""Plans on the terminal."""

from api.cli.kinds.plain import PlainKind
from workflows.states import TaskType


class PlanKind(PlainKind):
    task_type = TaskType.PLAN
    part = "node"


KIND = PlanKind()
