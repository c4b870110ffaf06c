from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.services import Services
from tests.integration.agent_desk import Desk, agent_desk


@pytest.fixture
async def desk(
    infrastructure: Services, database_url: str, bucket: str, tmp_path: Path
) -> AsyncIterator[Desk]:
    """Without skills; some modules have a desk of their own."""
    async with agent_desk(infrastructure, database_url, bucket, tmp_path) as desk:
        yield desk
