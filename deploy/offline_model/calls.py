"""Which calls were made before, and the first that a skill needs."""

from collections.abc import Sequence

from deploy.offline_model import LABEL
from deploy.offline_model.conversation import Action, Conversation, Skill
from deploy.offline_model.reply import Call, Reply


def calls_of(talk: Conversation, tool: str, **arguments: str) -> Sequence[Action]:
    """Those of a tool with all of these arguments."""
    return [
        action
        for action in talk.actions
        if action.tool == tool
        and all(action.arguments.get(name) == value for name, value in arguments.items())
    ]


def was_called(call: Call, talk: Conversation) -> bool:
    return any(
        action.tool == call.tool and action.arguments == call.arguments for action in talk.actions
    )


def loads_of(skill: Skill, talk: Conversation) -> Sequence[Action]:
    calls = calls_of(talk, "load_skill")
    return [action for action in calls if skill.name in action.arguments.values()]


def load(skills: Sequence[Skill], talk: Conversation) -> Reply:
    """Load those of the skills that are not loaded."""
    properties = talk.tools["load_skill"].get("properties", {})
    argument = "name" if "name" in properties else "skill"
    calls = tuple(
        Call("load_skill", {argument: skill.name}) for skill in skills if not loads_of(skill, talk)
    )
    names = ", ".join(skill.name for skill in skills)
    return Reply(f"{LABEL}: the prompt shares words with {names}. Loading.", calls)
