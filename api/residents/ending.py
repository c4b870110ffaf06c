"""Stops what terminated agents do, where Temporal did not hear of it when they were terminated."""

from activities.store.reading.unended import unended
from api.passes import Passes
from api.residents.acts import cancel_all
from api.services import Services

# One that was told ends within a second, and may be given a while on a busy machine.
GIVEN_SECONDS = 5.0
CANCELLED_A_PASS = 200
TIMEOUT_SECONDS = 30.0


class Ending:
    """Any number of APIs may do this: what is cancelled twice ends once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        interval_seconds = services.options.sweep_interval_seconds
        self.passes = Passes("ending", self.cancel_due, interval_seconds, TIMEOUT_SECONDS)

    async def cancel_due(self) -> None:
        """Cancel all that are due."""
        due = await unended(
            self._services.database, since_seconds=GIVEN_SECONDS, limit=CANCELLED_A_PASS
        )
        await cancel_all(self._services, due)
