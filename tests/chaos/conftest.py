from collections.abc import AsyncIterator

import pytest

from tests.live import Live, live_stack


@pytest.fixture(scope="session")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """The whole stack, for tests that hurt it."""
    settings = {"AGENTOS_SCHEDULE_SECONDS": "1"}
    async with live_stack(tmp_path_factory.mktemp("live"), **settings) as live:
        yield live
