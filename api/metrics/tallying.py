"""Adding up how tasks started and ended, pass after pass."""

from activities.metrics.definitions import START_SECONDS, TASK_SECONDS
from activities.store.task_tallies import tally_marks
from api.passes import Passes
from api.services import Services

INTERVAL_SECONDS = 5.0
PASS_TIMEOUT_SECONDS = 30.0


class Tallying:
    """Any number of APIs may run one: each mark is taken by one of them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def passes(self) -> Passes:
        return Passes("tallies", self.tally, INTERVAL_SECONDS, PASS_TIMEOUT_SECONDS)

    async def tally(self) -> None:
        """One pass. Raises ``TemporaryFailure`` when the database cannot be reached."""
        while await tally_marks(self._services.database, START_SECONDS, TASK_SECONDS):
            pass
