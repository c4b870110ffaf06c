"""What nodes may use of the budget of their plan.

The planner itself needs some at the end, to revise and to sum up: that is kept back first. Of what
is left, and not promised to nodes that run, each node that is still to come has a share by its
weight. What a node leaves is there for those that begin after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from activities.store.reading.plans import Used
from workflows.definitions.agent import Limits
from workflows.errors import CostUsedUp, TokensUsedUp

# Of the whole budget, for the turns of the planner after the nodes.
RESERVED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Promise:
    """What a node that runs may use, and what of it it has used."""

    limits: Limits
    used: Used


@dataclass(frozen=True, slots=True)
class Share:
    """``tokens`` of prompts and answers; ``cost_usd`` is None where the plan has no such limit."""

    tokens: int
    cost_usd: float | None


def shares(
    limits: Limits,
    used: Used,
    running: Sequence[Promise],
    weights: Mapping[int, float],
    waiting_weight: float,
) -> Mapping[int, Share]:
    """The share of each node in ``weights``, which begin now; nodes that weigh ``waiting_weight``
    together begin later. ``used`` is by all, planner and nodes.

    Raises:
        TokensUsedUp, CostUsedUp: nothing is left for them.
    """
    total = sum(weights.values()) + waiting_weight
    open_tokens = sum(max(item.limits.tokens - item.used.tokens, 0) for item in running)
    tokens = limits.tokens * (1 - RESERVED_SHARE) - used.tokens - open_tokens
    if weights and tokens < 1:
        raise TokensUsedUp(used=used.tokens + open_tokens, limit=limits.tokens)
    cost = None
    if limits.cost_usd is not None:
        open_cost = sum(
            max((item.limits.cost_usd or 0.0) - item.used.cost_usd, 0.0) for item in running
        )
        cost = limits.cost_usd * (1 - RESERVED_SHARE) - used.cost_usd - open_cost
        if weights and cost <= 0:
            raise CostUsedUp(used=used.cost_usd + open_cost, limit=limits.cost_usd)
    return {
        number: Share(
            max(int(tokens * weight / total), 1),
            None if cost is None else cost * weight / total,
        )
        for number, weight in weights.items()
    }


def within(limits: Limits, share: Share, seconds: float) -> Limits:
    """The limits of a node: its own, as far as the share and the time of the plan allow."""
    costs = [cost for cost in (limits.cost_usd, share.cost_usd) if cost is not None]
    return Limits(
        turns=limits.turns,
        tokens=min(limits.tokens, share.tokens),
        cost_usd=min(costs) if costs else None,
        seconds=max(min(limits.seconds, seconds), 1.0),
    )
