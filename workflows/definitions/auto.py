"""The definition of a task of which nobody has chosen yet what it is."""

from pydantic import BaseModel, ConfigDict

from workflows.definitions.agent import Agent, Limits
from workflows.definitions.plan import Plan

# A router answers so often at most. After the last answer the task is what a router falls back on.
MAX_ANSWERS = 3


class Auto(BaseModel):
    """What the task gets as whatever it becomes. Where there is only one of ``agent`` and ``plan``,
    its limits, its output schema and what it may use hold for the other as well."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: Agent | None = None
    plan: Plan | None = None

    @property
    def as_agent(self) -> Agent:
        if self.agent is not None:
            return self.agent
        if self.plan is None:
            return Agent()
        given = {"limits": self.plan.limits, "output_schema": self.plan.output_schema}
        return self.plan.agent.model_copy(update=given)

    @property
    def as_plan(self) -> Plan:
        if self.plan is not None:
            return self.plan
        if self.agent is None:
            return Plan()
        nodes = self.agent.model_copy(update={"output_schema": None})
        return Plan(agent=nodes, limits=self.agent.limits, output_schema=self.agent.output_schema)

    @property
    def limits(self) -> Limits:
        """Of the choice: what is left of them must do for whatever is chosen."""
        agent, plan = self.as_agent.limits, self.as_plan.limits
        costs = [cost for cost in (agent.cost_usd, plan.cost_usd) if cost is not None]
        return Limits(
            turns=MAX_ANSWERS,
            tokens=min(agent.tokens, plan.tokens),
            cost_usd=min(costs, default=None),
            seconds=min(agent.seconds, plan.seconds),
        )
