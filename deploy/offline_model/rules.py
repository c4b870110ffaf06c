"""The rules: from a request to the next answer. Pure: the same request has the same answer."""

import re
from collections.abc import Sequence

from deploy.offline_model import LABEL
from deploy.offline_model.arguments import Unanswerable, argument_lists
from deploy.offline_model.conversation import Action, Conversation, Skill, read
from deploy.offline_model.ending import ending, plain_answer
from deploy.offline_model.filling import Facts, fill
from deploy.offline_model.reply import Call, Reply
from deploy.offline_model.steps import steps
from deploy.offline_model.usage import read_usage
from deploy.offline_model.wire import ChatRequest, NamedChoice

# What the tool takes of a prompt, which says what the skills are for.
_QUERY_CHARACTERS = 300


def respond(request: ChatRequest) -> Reply:
    """The answer to a request, as it asks for: with tools, without, or with one of them."""
    talk = read(request)
    if not talk.tools or request.tool_choice == "none":
        return plain_answer()
    reply = answer(talk)
    if isinstance(request.tool_choice, NamedChoice):
        reply = _forced(request.tool_choice.function.name, reply, talk)
    return reply if request.parallel_tool_calls else Reply(reply.text, reply.calls[:1])


def answer(talk: Conversation) -> Reply:
    """The next step of an agent: calls of tools while there is something to do, then the end."""
    is_partial = talk.has_more_skills or not talk.catalogue
    if is_partial and "list_skills" in talk.tools and not _calls(talk, "list_skills"):
        query = {"query": talk.prompt[:_QUERY_CHARACTERS]} if talk.has_more_skills else {}
        return Reply(f"{LABEL}: asking which skills there are.", (Call("list_skills", query),))
    wanted = steps(talk)
    skipped: dict[str, str] = {}
    for step in () if talk.is_last_turn else wanted:
        if isinstance(step, Call):
            if not _was_called(step, talk):
                return Reply(f"{LABEL}: calling {step.tool}, as the prompt says.", (step,))
            continue
        try:
            if reply := _next_for(step, wanted, talk):
                return reply
        except Unanswerable as missing:
            if question := _question(step, missing, talk):
                return question
            skipped[step.name] = str(missing)
    return ending(talk, wanted, skipped)


def _next_for(skill: Skill, wanted: Sequence[Skill | Call], talk: Conversation) -> Reply | None:
    """What is still to be done with a skill; None when it is done with."""
    loads = _loads(skill, talk)
    if not loads and "load_skill" in talk.tools:
        return _load([step for step in wanted if isinstance(step, Skill)], talk)
    if any(load.observation.is_failure for load in loads):
        raise Unanswerable(reason=f"it could not be loaded: {loads[-1].observation.reason}")
    runs = _calls(talk, "run_skill_script", skill=skill.name)
    if reply := _run(skill, loads, talk, runs, is_plain=False):
        return reply
    if all(run.observation.is_worth_another_way for run in runs):
        return _run(skill, loads, talk, runs, is_plain=True)
    return None


def _load(skills: Sequence[Skill], talk: Conversation) -> Reply:
    properties = talk.tools["load_skill"].get("properties", {})
    argument = "name" if "name" in properties else "skill"
    calls = tuple(
        Call("load_skill", {argument: skill.name}) for skill in skills if not _loads(skill, talk)
    )
    names = ", ".join(skill.name for skill in skills)
    return Reply(f"{LABEL}: the prompt shares words with {names}. Loading.", calls)


def _loads(skill: Skill, talk: Conversation) -> Sequence[Action]:
    calls = _calls(talk, "load_skill")
    return [action for action in calls if skill.name in action.arguments.values()]


def _run(
    skill: Skill,
    loads: Sequence[Action],
    talk: Conversation,
    runs: Sequence[Action],
    *,
    is_plain: bool,
) -> Reply | None:
    """The runs that are still to be made; they are chosen by what there was before the first."""
    before = talk.until(min((run.turn for run in runs), default=None))
    usage = read_usage(loads[-1].observation.text if loads else "")
    script = {"script": usage.script} if usage.script else {}
    calls = tuple(
        Call("run_skill_script", {"skill": skill.name, **script, "args": list(args)})
        for args in argument_lists(usage, skill, before, is_plain=is_plain)
    )
    new = tuple(call for call in calls if not _was_called(call, talk))
    again = " again, with nothing but what it needs" if is_plain else ""
    return Reply(f"{LABEL}: running {skill.name}{again}.", new) if new else None


def _question(skill: Skill, missing: Unanswerable, talk: Conversation) -> Reply | None:
    """A question to a person: only where the prompt allows it, for they may be long in coming."""
    may_ask = "ask_human" in talk.tools and re.search(r"\bask\b", talk.prompt, re.IGNORECASE)
    call = Call("ask_human", {"question": f"For the skill {skill.name}: {missing}. What is it?"})
    if not may_ask or _was_called(call, talk):
        return None
    return Reply(f"{LABEL}: asking a person.", (call,))


def _forced(name: str, reply: Reply, talk: Conversation) -> Reply:
    calls = tuple(call for call in reply.calls if call.tool == name)
    if not calls:
        arguments = fill(
            talk.tools.get(name, {}),
            Facts(prompt=talk.prompt, summary=talk.prompt, pairs=talk.prompt),
        )
        calls = (Call(name, arguments),)
    return Reply(reply.text, calls)


def _calls(talk: Conversation, tool: str, **arguments: str) -> Sequence[Action]:
    return [
        action
        for action in talk.actions
        if action.tool == tool
        and all(action.arguments.get(name) == value for name, value in arguments.items())
    ]


def _was_called(call: Call, talk: Conversation) -> bool:
    return any(
        action.tool == call.tool and action.arguments == call.arguments for action in talk.actions
    )
