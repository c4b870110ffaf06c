from collections.abc import AsyncIterator

import pytest

from tests.live import Live, live_stack


@pytest.fixture(scope="session")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    """The whole stack, shared by the tests of this folder. It has the offline model."""
    settings = {"AGENTOS_APPROVAL_SECONDS": "2"}
    async with live_stack(tmp_path_factory.mktemp("live"), **settings) as live:
        yield live
