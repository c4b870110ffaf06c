"""``create_task`` or ``compile_pipeline``: what a task is to be."""

from collections.abc import Sequence

from deploy.offline_model import LABEL
from deploy.offline_model.calls import calls_of
from deploy.offline_model.conversation import Conversation
from deploy.offline_model.filling import Facts, fill
from deploy.offline_model.flow import Part, parts_of
from deploy.offline_model.jobs import Unplannable, jobs_of, skills_asked_for
from deploy.offline_model.manuals import loading
from deploy.offline_model.piping import piped
from deploy.offline_model.reply import Call, Reply

CREATE_TASK = "create_task"
COMPILE_PIPELINE = "compile_pipeline"
# See ``activities.routes.grounds``.
_NO_PIPELINE = (
    "no pipeline is offered here, as it neither gives a result to a schema nor asks a person "
    "before a step, though the steps are fixed"
)


def route(talk: Conversation) -> Reply:
    """A pipeline for a fixed sequence over known skills, a plan for work that can be done side by
    side, an agent for everything else."""
    if sent_back := [*calls_of(talk, COMPILE_PIPELINE), *calls_of(talk, CREATE_TASK)]:
        problem = sent_back[-1].observation.problem
        return _create(talk, "agent", f"what the rules chose first was sent back: {problem}")
    if reply := loading([skill for _, skill in skills_asked_for(talk)], talk):
        return reply
    try:
        parts = parts_of(jobs_of(talk), talk)
        branches = dict.fromkeys(part.branch for part in parts if not part.is_joint)
        if len(branches) > 1:
            reason = f"the same is to be done with each of {', '.join(branches)}, side by side"
            return _create(talk, "plan", reason)
        if COMPILE_PIPELINE in talk.tools:
            return _compile(talk, parts)
    except Unplannable as reason:
        return _create(talk, "agent", str(reason))
    words = ", ".join(part.job.word for part in parts)
    return _create(talk, "agent", f"{_NO_PIPELINE} ({words})")


def _create(talk: Conversation, task_type: str, reason: str) -> Reply:
    if CREATE_TASK not in talk.tools:
        return Reply(f"{LABEL}: {reason}.")
    facts = Facts(prompt=talk.prompt, summary=talk.prompt)
    arguments = {
        **fill(talk.tools[CREATE_TASK], facts),
        "type": task_type,
        "reason": f"{LABEL}: {reason}.",
    }
    return Reply(f"{LABEL}: this is for {_article(task_type)}.", (Call(CREATE_TASK, arguments),))


def _article(task_type: str) -> str:
    return f"an {task_type}" if task_type == "agent" else f"a {task_type}"


def _compile(talk: Conversation, parts: Sequence[Part]) -> Reply:
    piping = piped(parts, talk)
    if left := [file.name for file in talk.inputs if file.name not in piping.inputs]:
        raise Unplannable(
            reason=f"a pipeline takes every file, and the prompt not {', '.join(left)}"
        )
    words = ", ".join(part.job.word for part in parts)
    pipeline = {"name": words, "inputs": list(piping.inputs), "steps": list(piping.steps)}
    reason = f"{LABEL}: a fixed sequence over known skills ({words})."
    call = Call(COMPILE_PIPELINE, {"pipeline": pipeline, "reason": reason})
    return Reply(f"{LABEL}: this is a pipeline.", (call,))
