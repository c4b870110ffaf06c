from collections.abc import AsyncIterator

import pytest

from tests.doubles.scripted_models import ScriptedModels
from tests.live import Live, live_stack
from tests.live_models import modelled_stack


@pytest.fixture(scope="package")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """The whole stack, for tests that hurt it."""
    settings = {
        "AGENTOS_SCHEDULE_SECONDS": "1",
        "AGENTOS_WEBHOOK_TIMEOUT_SECONDS": "1",
        "AGENTOS_WEBHOOK_FIRST_PAUSE_SECONDS": "0.5",
        "AGENTOS_WEBHOOK_LONGEST_PAUSE_SECONDS": "2",
    }
    async with live_stack(tmp_path_factory.mktemp("live"), **settings) as live:
        yield live


@pytest.fixture(scope="package")
async def agents_live(
    models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    """A stack of this folder with the models of ``modelled_stack``."""
    async with modelled_stack(tmp_path_factory.mktemp("agents"), models) as live:
        yield live
