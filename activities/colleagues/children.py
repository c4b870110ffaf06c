"""What a child of an agent that stays is: no more than its parent, which has its limits too."""

from collections.abc import Sequence

from activities.colleagues.errors import WiderThanParent
from activities.tools.selection import is_within
from workflows.definitions.agent import Profile
from workflows.definitions.resident import Resident


def child_of(
    parent: Resident,
    profile: Profile,
    skills: Sequence[str] | None,
    tools: Sequence[str] | None,
    model: str | None,
) -> Resident:
    """The definition of a child; None is what the parent has.

    Raises:
        WiderThanParent
    """
    if skills is not None and parent.skills is not None:
        _check("skills", [each for each in skills if each not in parent.skills])
    if tools is not None:
        _check("tools", [each for each in tools if not is_within(each, parent.tools)])
    return Resident(
        profile=profile,
        skills=parent.skills if skills is None else tuple(skills),
        tools=parent.tools if tools is None else tuple(tools),
        model=model or parent.model,
        limits=parent.limits,
    )


def _check(field: str, wider: Sequence[str]) -> None:
    if wider:
        raise WiderThanParent(field=field, names=", ".join(wider))
