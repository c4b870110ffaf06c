"""Steps of a pipeline that a model has written: they may do no more than an agent might.

A step asks nobody. So what an agent is not given, or only with a person's approval, is not had by
writing a pipeline either.
"""

from collections.abc import Collection, Iterator, Sequence

from activities.plans.ability import Ability
from activities.tools.offered import OfferedTool
from workflows.definitions.pipeline import Step
from workflows.pointers import Problem
from workflows.states import Permission

_ASKS = "a person has to approve this each time, which a step cannot wait for; make it an agent"


def problems_with_steps(
    steps: Sequence[Step], ability: Ability, known_skills: Collection[str], at: str
) -> Iterator[Problem]:
    """What an agent with this ability could not do, of what is there at all."""
    for index, step in enumerate(steps):
        where = f"{at}/{index}"
        yield from _skill_problems(step, ability, known_skills, where)
        if step.tool is not None:
            tool = ability.tools.get(step.tool)
            yield from _problems([tool] if tool else [], f"{where}/tool", "may not call this tool")
        else:
            runs = "code" if step.code else "skill"
            tools = [tool for tool in ability.tools.values() if tool.call_type == runs]
            what = "code" if step.code else "the scripts of skills"
            yield from _problems(tools, f"{where}/{runs}", f"may not run {what}")


def _skill_problems(
    step: Step, ability: Ability, known_skills: Collection[str], at: str
) -> Iterator[Problem]:
    used = step.code.skill if step.code else step.skill
    if used in known_skills and used not in ability.skills:
        place = "code/skill" if step.code else "skill"
        yield Problem(f"{at}/{place}", f"agents of this plan may not use the skill {used!r}")


def _problems(tools: Sequence[OfferedTool], at: str, message: str) -> Iterator[Problem]:
    if not tools:
        yield Problem(at, f"agents of this plan {message}")
    elif all(tool.permission is Permission.ASK for tool in tools):
        yield Problem(at, _ASKS)
