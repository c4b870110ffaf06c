from collections.abc import AsyncIterator

import pytest

from tests.doubles.scripted_models import ScriptedModels
from tests.live import Live
from tests.live_models import modelled_stack


@pytest.fixture(scope="package")
async def agents_live(
    models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    """The whole stack, for tests that hurt it, with the models of ``modelled_stack``."""
    settings = {
        "AGENTOS_SCHEDULE_SECONDS": "1",
        "AGENTOS_WEBHOOK_TIMEOUT_SECONDS": "1",
        "AGENTOS_WEBHOOK_FIRST_PAUSE_SECONDS": "0.5",
        "AGENTOS_WEBHOOK_LONGEST_PAUSE_SECONDS": "2",
    }
    async with modelled_stack(tmp_path_factory.mktemp("agents"), models, **settings) as live:
        yield live


@pytest.fixture(scope="package")
def live(agents_live: Live) -> Live:
    """The same stack, for tests that need no models."""
    return agents_live
