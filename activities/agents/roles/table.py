"""The roles that there are."""

from collections.abc import Mapping

from activities.agents import roles
from activities.agents.roles.base import Role
from activities.equipment import Equipment
from activities.kinds.base import Installed
from activities.tools.toolbox import Toolbox
from workflows.discovery import modules_of
from workflows.states import TaskType

_ROLES: tuple[type[Role], ...] = tuple(
    module.ROLE for module in modules_of(roles) if hasattr(module, "ROLE")
)


def roles_of(
    equipment: Equipment, toolbox: Toolbox, installed: Installed
) -> Mapping[TaskType, Role]:
    """One for each type of task that a model is asked about."""
    return {role.task_type: role(equipment, toolbox, installed) for role in _ROLES}
