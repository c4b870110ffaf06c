import json
from collections.abc import AsyncIterator

import pytest

from tests.doubles.scripted_models import ScriptedModels
from tests.live import Live, live_stack

STOP_SECONDS = 4


@pytest.fixture(scope="package")
async def two_workers(
    models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    """A stack of two workers. The model that is meant where none is named answers one at a time,
    and ``boundless`` as many as there are."""
    settings = {
        "OPENAI_BASE_URL": models.url,
        "OPENAI_API_KEY": "sk-only-for-tests",
        "AGENTOS_MODELS": "scripted,boundless",
        "AGENTOS_MODEL_LIMITS": json.dumps({"scripted": {"running": 1}}),
        "AGENTOS_BREAKER_CALLS": "3",
        "AGENTOS_BREAKER_OPEN_SECONDS": "600",
        "AGENTOS_MAX_RUNNING_STEPS": "16",
        "AGENTOS_STOP_SECONDS": str(STOP_SECONDS),
    }
    async with live_stack(tmp_path_factory.mktemp("two"), workers=2, **settings) as live:
        yield live
