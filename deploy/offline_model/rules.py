"""The rules: from a request to the next answer. Pure: the same request has the same answer."""

import re
from collections.abc import Callable, Sequence

from deploy.offline_model import LABEL
from deploy.offline_model.arguments import Unanswerable, argument_lists
from deploy.offline_model.calls import calls_of, load, loads_of, was_called
from deploy.offline_model.conversation import Action, Conversation, Skill, read
from deploy.offline_model.conversing import converse, is_resident
from deploy.offline_model.ending import ending, plain_answer
from deploy.offline_model.filling import Facts, fill
from deploy.offline_model.remembering import is_asked_to_remember, remember
from deploy.offline_model.reply import Call, Reply
from deploy.offline_model.revising import REVISE_PLAN, revise
from deploy.offline_model.routing import COMPILE_PIPELINE, CREATE_TASK, route
from deploy.offline_model.splitting import MAKE_PLAN, split
from deploy.offline_model.steps import steps
from deploy.offline_model.synthesising import is_planned, synthesise
from deploy.offline_model.talking import discuss, is_in_group
from deploy.offline_model.usage import read_usage
from deploy.offline_model.wire import ChatRequest, NamedChoice

# What the tool takes of a prompt, which says what the skills are for.
_QUERY_CHARACTERS = 300


def respond(request: ChatRequest) -> Reply:
    """The answer to a request, as it asks for: with tools, without, or with one of them."""
    talk = read(request)
    if not talk.tools or request.tool_choice == "none":
        return remember(talk) if is_asked_to_remember(talk) else plain_answer()
    reply = _rule_for(talk)(talk)
    if isinstance(request.tool_choice, NamedChoice):
        reply = _forced(request.tool_choice.function.name, reply, talk)
    return reply if request.parallel_tool_calls else Reply(reply.text, reply.calls[:1])


def _rule_for(talk: Conversation) -> Callable[[Conversation], Reply]:
    """By what is offered: whoever may choose, plan or revise is there for that."""
    if CREATE_TASK in talk.tools or COMPILE_PIPELINE in talk.tools:
        return route
    if REVISE_PLAN in talk.tools:
        return revise
    if is_planned(talk):
        return synthesise
    if is_in_group(talk):
        return lambda talk: discuss(talk, lambda talk: converse(talk, answer))
    if is_resident(talk):
        return lambda talk: converse(talk, answer)
    return split if MAKE_PLAN in talk.tools else answer


def answer(talk: Conversation) -> Reply:
    """The next step of an agent: calls of tools while there is something to do, then the end."""
    is_partial = talk.has_more_skills or not talk.catalogue
    if is_partial and "list_skills" in talk.tools and not calls_of(talk, "list_skills"):
        query = {"query": talk.prompt[:_QUERY_CHARACTERS]} if talk.has_more_skills else {}
        return Reply(f"{LABEL}: asking which skills there are.", (Call("list_skills", query),))
    wanted = steps(talk)
    skipped: dict[str, str] = {}
    for step in () if talk.is_last_turn else wanted:
        if isinstance(step, Call):
            if not was_called(step, talk):
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
    loads = loads_of(skill, talk)
    if not loads and "load_skill" in talk.tools:
        return load([step for step in wanted if isinstance(step, Skill)], talk)
    if any(load.observation.is_failure for load in loads):
        raise Unanswerable(reason=f"it could not be loaded: {loads[-1].observation.reason}")
    runs = calls_of(talk, "run_skill_script", skill=skill.name)
    if reply := _run(skill, loads, talk, runs, is_plain=False):
        return reply
    if all(run.observation.is_worth_another_way for run in runs):
        return _run(skill, loads, talk, runs, is_plain=True)
    return None


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
    new = tuple(call for call in calls if not was_called(call, talk))
    again = " again, with nothing but what it needs" if is_plain else ""
    return Reply(f"{LABEL}: running {skill.name}{again}.", new) if new else None


def _question(skill: Skill, missing: Unanswerable, talk: Conversation) -> Reply | None:
    """A question to a person: only where the prompt allows it, for they may be long in coming."""
    may_ask = "ask_human" in talk.tools and re.search(r"\bask\b", talk.prompt, re.IGNORECASE)
    call = Call("ask_human", {"question": f"For the skill {skill.name}: {missing}. What is it?"})
    if not may_ask or was_called(call, talk):
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
