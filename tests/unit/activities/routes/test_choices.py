"""What the choice of a router makes of a task."""

from typing import Any

import pytest

from activities.routes.choices import CREATE_TASK, chosen
from workflows.definitions.agent import Agent
from workflows.definitions.auto import Auto
from workflows.definitions.plan import Plan


def agent_of(kind: str, given: dict[str, Any], **choice: Any) -> Agent:
    """The agent of what is chosen for a task that was given this one."""
    auto = Auto.model_validate({"agent": given})
    found = chosen(CREATE_TASK, {"type": kind, "reason": "It is.", **choice}, auto).definition
    assert isinstance(found, Agent | Plan)
    return found if isinstance(found, Agent) else found.agent


@pytest.mark.parametrize("kind", ["agent", "plan"])
def test_empty_lists_of_skills_and_tools_take_nothing_from_a_task(kind: str) -> None:
    agent = agent_of(kind, {"skills": ["csv-clean"]}, skills=[], tools=[])
    assert (agent.skills, agent.tools) == (("csv-clean",), None)
    assert agent_of(kind, {"tools": []}, tools=[]).tools == ()


@pytest.mark.parametrize("kind", ["agent", "plan"])
def test_lists_of_skills_and_tools_are_all_that_a_task_may_use(kind: str) -> None:
    agent = agent_of(kind, {}, skills=["csv-clean"], tools=["run_skill_script"])
    assert (agent.skills, agent.tools) == (("csv-clean",), ("run_skill_script",))
