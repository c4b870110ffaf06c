"""What ends an agent's run before its model does: limits, silence and loops."""

from workflows.agent_contracts import AgentRun, Hint, Spent, Thought
from workflows.errors.agents import (
    CostUsedUp,
    GoesRoundInCircles,
    NeverFinishes,
    TokensUsedUp,
    TurnsUsedUp,
)

# The longest loop to look for, in turns, and how often it may repeat before the model is warned,
# and before it is stopped.
LONGEST_CIRCLE_TURNS = 3
ROUNDS_UNTIL_HINT = 3
ROUNDS_UNTIL_STOP = 5
# Answers without a call, in a row.
SILENT_UNTIL_STOP = 3

_DIGESTS_KEPT = LONGEST_CIRCLE_TURNS * ROUNDS_UNTIL_STOP


def check_limits(run: AgentRun) -> None:
    """Raises ``TurnsUsedUp``, ``TokensUsedUp`` or ``CostUsedUp`` when no turn may follow."""
    spent, limits = run.spent, run.limits
    if spent.turns >= limits.turns:
        raise TurnsUsedUp(limit=limits.turns)
    if spent.all_tokens >= limits.tokens:
        raise TokensUsedUp(used=spent.all_tokens, limit=limits.tokens)
    if limits.cost_usd is not None and spent.all_cost_usd >= limits.cost_usd:
        raise CostUsedUp(used=spent.all_cost_usd, limit=limits.cost_usd)


def tokens_left(run: AgentRun, *, is_shared: bool) -> int | None:
    """The tokens that the next turn may take; None: as many as it needs.

    The first turn of a run is made in any case, or a retry could never come any further, unless the
    budget ``is_shared`` with others: a plan and its nodes together keep within it.
    """
    used = run.spent.all_tokens
    return run.limits.tokens - used if used or is_shared else None


def cost_left(run: AgentRun) -> float | None:
    """The US dollars that turns may still cost; None: there is no limit."""
    limit = run.limits.cost_usd
    return None if limit is None else limit - run.spent.all_cost_usd


def hint_for(run: AgentRun) -> Hint | None:
    """The hint for the model before its next turn."""
    if run.spent.turns + 1 == run.limits.turns:
        return Hint.LAST_TURN
    if run.spent.silent:
        return Hint.CALL_A_TOOL
    if goes_round(run.spent.digests, ROUNDS_UNTIL_HINT):
        return Hint.GOING_ROUND
    return None


def spent_after(spent: Spent, thought: Thought, seconds: float) -> Spent:
    """The total with one more turn. ``seconds`` is the time worked since the start of the run."""
    return spent.model_copy(
        update={
            "turns": spent.turns + 1,
            "tokens": spent.tokens + thought.tokens,
            "cost_usd": spent.cost_usd + thought.cost_usd,
            "seconds": seconds,
            "silent": spent.silent + 1 if thought.silent else 0,
            "digests": (*spent.digests, thought.digest)[-_DIGESTS_KEPT:],
        }
    )


def check_progress(spent: Spent) -> None:
    """Raises ``NeverFinishes`` or ``GoesRoundInCircles`` when the model makes no progress."""
    if spent.silent >= SILENT_UNTIL_STOP:
        raise NeverFinishes(times=spent.silent)
    if goes_round(spent.digests, ROUNDS_UNTIL_STOP):
        raise GoesRoundInCircles(times=ROUNDS_UNTIL_STOP)


def goes_round(digests: tuple[str, ...], rounds: int) -> bool:
    """Whether the last turns are one loop, repeated this many times."""
    for length in range(1, LONGEST_CIRCLE_TURNS + 1):
        last = digests[-length * rounds :]
        if len(last) == length * rounds and last == last[:length] * rounds:
            return True
    return False
