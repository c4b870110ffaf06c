"""Making an agent that stays, for people and for agents alike."""

from collections.abc import Mapping
from uuid import UUID

from activities.kinds.base import Installed
from activities.residents.checking import problems_with_resident
from activities.residents.errors import AgentDefinitionRefused, AgentNotCreated
from activities.store.audit import Actor
from activities.store.new_residents import Made, NewResident, NotMade, create_resident, find_made
from workflows.definitions.resident import MAX_DEPTH, Resident


async def create_agent(
    installed: Installed, actor: Actor, new: NewResident, *, most: int
) -> Made | NotMade:
    """Make an agent, of which a team may have ``most``. A repeat, which has the same id or the same
    idempotency key, gives the agent that is there, however the world has changed since.

    Its definition is to hold only what was said: the rest follows our defaults, and the name that
    it speaks under its own.

    Raises:
        AgentDefinitionRefused: with everything that is wrong.
    """
    resident = Resident.model_validate(new.definition)
    if problems := await problems_with_resident(installed, actor.team_id, resident):
        if (earlier := await find_made(installed.database, actor.team_id, new)) is not None:
            return earlier
        raise AgentDefinitionRefused(problems)
    return await create_resident(installed.database, actor, new, most=most)


async def create_child(installed: Installed, actor: Actor, new: NewResident, *, most: int) -> UUID:
    """``create_agent`` for whoever has no other answer to a refusal than its words.

    Raises:
        AgentDefinitionRefused, AgentNotCreated
    """
    made = await create_agent(installed, actor, new, most=most)
    if isinstance(made, NotMade):
        raise AgentNotCreated(reason=reason_of(made, new, most=most))
    return made.id


def reason_of(refusal: NotMade, new: NewResident, *, most: int) -> str:
    """Why there is no such agent, and what to do."""
    return _REASONS[refusal].format(
        name=new.name, parent=new.parent_id, key=new.idempotency_key, most=most, levels=MAX_DEPTH
    )


_REASONS: Mapping[NotMade, str] = {
    NotMade.NAME_TAKEN: "there is an agent {name!r} already; choose another name",
    NotMade.KEY_TAKEN: "the key {key!r} was used for another request; use a new one",
    NotMade.TOO_MANY: (
        "your team has {most:,} agents, which is the limit (AGENTOS_MAX_AGENTS); terminate and "
        "delete one that is not needed"
    ),
    NotMade.PARENT_GONE: "there is no agent {parent} to be its parent",
    NotMade.PARENT_TERMINATED: "its parent {parent} is terminated",
    NotMade.TOO_MANY_CHILDREN: (
        "its parent {parent} has as many as it may; terminate one of them, or raise "
        "limits.children of the parent"
    ),
    NotMade.TOO_DEEP: (
        "its parent {parent} may make none: there are {levels} levels at most, that of agents "
        "made by people among them"
    ),
}
