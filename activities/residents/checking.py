"""What is wrong with an agent that stays, or with a message to one, that only this server knows."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from activities.inputs.checking import check_inputs
from activities.kinds.agent_validation import (
    problems_with_agent,
    problems_with_input_names,
    problems_with_limits,
)
from activities.kinds.base import Installed
from workflows.definitions.agent import Limits
from workflows.definitions.resident import Resident
from workflows.pointers import Problem

_INPUTS = "/inputs"
_ATTACHMENTS = "/attachments"


async def problems_with_resident(
    installed: Installed, team_id: UUID, resident: Resident
) -> list[Problem]:
    """Everything that is wrong with a definition, whose fields are those of the request."""
    found = await problems_with_agent(installed, team_id, resident.as_agent, {}, at="")
    # Nobody has chosen a type here: that there is no model is wrong with the whole.
    problems = [Problem("" if p.pointer == "/type" else p.pointer, p.message) for p in found]
    if resident.limits.daily_cost_usd is not None:
        daily = Limits(cost_usd=resident.limits.daily_cost_usd)
        problems += [
            Problem("/limits/daily_cost_usd", each.message)
            for each in problems_with_limits(installed, daily, resident.model, "")
        ]
    return problems


async def problems_with_attachments(
    installed: Installed, team_id: UUID, attachments: Mapping[str, str]
) -> list[Problem]:
    """They are given to the agent as inputs are to a task."""
    found = [
        *problems_with_input_names(attachments),
        *await check_inputs(
            installed.database,
            installed.blobs,
            installed.inputs,
            team_id,
            attachments,
            option="--attach",
        ),
    ]
    return at_attachments(found)


def at_attachments(problems: Iterable[Problem]) -> list[Problem]:
    """Problems with inputs, as those of attachments that they are."""
    return [Problem(p.pointer.replace(_INPUTS, _ATTACHMENTS, 1), p.message) for p in problems]
