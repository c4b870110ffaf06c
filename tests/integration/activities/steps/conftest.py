"""What tests of this folder share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.services import Services
from tests.integration.agent_desk import Desk, agent_desk
from tests.integration.cached_steps import write_skill


@pytest.fixture
async def dice(
    infrastructure: Services, database_url: str, bucket: str, tmp_path: Path
) -> AsyncIterator[Desk]:
    """With a skill ``dice`` that says itself that it may be cached, which it may not."""
    write_skill(tmp_path, "dice", "1h")
    write_skill(tmp_path, "wild", None)
    async with agent_desk(
        infrastructure, database_url, bucket, tmp_path, networked=["online"]
    ) as desk:
        yield desk
