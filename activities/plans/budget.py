"""What nodes may use of the budget of their plan.

The planner itself needs some at the end, to revise and to sum up: that is kept back first. Of what
is left, and not promised to nodes that run, each node that is still to come has a share by its
weight, but never less than a turn takes: where there is not enough for all, fewer begin at once.
What a node leaves is there for those that begin after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from activities.store.reading.plan_usage import Used
from workflows.definitions.agent import Limits
from workflows.errors.plans import PlanBudgetUsedUp

# Of the whole budget, for the turns of the planner after the nodes ...
RESERVED_SHARE = 0.1
# ... which is one at least: it reads the plan and what became of it.
RESERVED_TOKENS = 4_000


@dataclass(frozen=True, slots=True)
class Promise:
    """What a node that runs may use, and what of it it has used."""

    limits: Limits
    used: Used


@dataclass(frozen=True, slots=True)
class Demand:
    """What a node that is to begin weighs, and the tokens that its first turn takes."""

    weight: float
    turn_tokens: int


@dataclass(frozen=True, slots=True)
class Share:
    """``tokens`` of prompts and answers; ``cost_usd`` is None where the plan has no such limit."""

    tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Budget:
    """What there is for nodes: ``limits`` are those of the plan, ``used`` is by all of it, planner
    and nodes, and ``running`` are the promises that are open."""

    limits: Limits
    used: Used
    running: Sequence[Promise]

    def shares(self, demands: Mapping[int, Demand], waiting_weight: float) -> Mapping[int, Share]:
        """The shares of those nodes that can begin now, by their numbers, the first first; nodes
        that weigh ``waiting_weight`` together begin later."""
        tokens, cost = self._tokens, self._cost_usd
        weight = waiting_weight + sum(demand.weight for demand in demands.values())
        found: dict[int, Share] = {}
        for number, demand in demands.items():
            share = max(int(tokens * demand.weight / weight), demand.turn_tokens)
            if share > tokens or (cost is not None and cost <= 0):
                continue
            part = None if cost is None else cost * demand.weight / weight
            found[number] = Share(share, part)
            tokens -= share
            cost = None if cost is None or part is None else cost - part
            weight -= demand.weight
        return found

    def error(self, node: str) -> PlanBudgetUsedUp:
        """Why a node cannot begin though nothing runs that may leave something."""
        limits, used = self.limits, self.used
        if self._cost_usd is not None and self._cost_usd <= 0:
            said = f"{used.cost_usd:.4f} of its {limits.cost_usd:.4f} US dollars"
            return PlanBudgetUsedUp(node=node, used=said, field="cost_usd")
        said = f"{used.tokens:,} of its {limits.tokens:,} tokens"
        return PlanBudgetUsedUp(node=node, used=said, field="tokens")

    @property
    def _tokens(self) -> float:
        reserved = max(self.limits.tokens * RESERVED_SHARE, RESERVED_TOKENS)
        promised = sum(max(item.limits.tokens - item.used.tokens, 0) for item in self.running)
        return self.limits.tokens - reserved - self.used.tokens - promised

    @property
    def _cost_usd(self) -> float | None:
        if self.limits.cost_usd is None:
            return None
        promised = sum(
            max((item.limits.cost_usd or 0.0) - item.used.cost_usd, 0.0) for item in self.running
        )
        return self.limits.cost_usd * (1 - RESERVED_SHARE) - self.used.cost_usd - promised


def within(limits: Limits, share: Share, seconds: float) -> Limits:
    """The limits of a node: its own, as far as the share and the time of the plan allow."""
    costs = [cost for cost in (limits.cost_usd, share.cost_usd) if cost is not None]
    return Limits(
        turns=limits.turns,
        tokens=min(limits.tokens, share.tokens),
        cost_usd=min(costs) if costs else None,
        seconds=max(min(limits.seconds, seconds), 1.0),
    )
