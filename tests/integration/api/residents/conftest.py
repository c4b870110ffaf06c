from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.services import Services
from tests.integration.agent_stage import agent_stage
from tests.integration.api_stage import Stage
from tests.integration.residents import Residents


@pytest.fixture(scope="package")
async def residents_stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API for agents that stay, and nobody who works for them."""
    async with agent_stage(infrastructure, skills_folder, sweep_interval_seconds=3_600.0) as stage:
        yield stage


@pytest.fixture
def residents(residents_stage: Stage) -> Residents:
    return Residents(residents_stage, residents_stage.http)
