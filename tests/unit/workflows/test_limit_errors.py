"""What is said of a task that has reached a limit of its own."""

import pytest

from workflows.errors import AgentOSError
from workflows.errors.agents import CostUsedUp, TimeUsedUp, TokensUsedUp, TurnsUsedUp


@pytest.mark.parametrize(
    "error",
    [
        TurnsUsedUp(limit=1),
        TokensUsedUp(used=1, limit=1),
        TimeUsedUp(limit=1.0),
        CostUsedUp(used=1.0, limit=1.0),
    ],
    ids=lambda error: error.code,
)
def test_it_is_true_of_agents_and_plans_and_of_one_as_of_many(error: AgentOSError) -> None:
    said = str(error)
    assert said.startswith("The task ")
    assert not any(f"1 {things}" in said for things in ("turns", "tokens", "seconds"))
