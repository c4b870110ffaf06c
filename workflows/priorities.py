"""How urgent tasks are, as Temporal has it."""

from uuid import UUID

from temporalio.common import Priority


def priority_of(priority: int, team_id: UUID, weight: float | None = None) -> Priority:
    """Ours is 10 (most urgent) to 1, Temporal's 1 (most urgent) to 5. Teams get turns by their
    ``weight``, equal ones without it."""
    return Priority(
        priority_key=1 + (10 - priority) // 2, fairness_key=str(team_id), fairness_weight=weight
    )
