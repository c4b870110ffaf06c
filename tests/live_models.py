"""A whole stack whose models say what a test has written."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.doubles.scripted_models import ScriptedModels
from tests.live import Live, live_stack


@asynccontextmanager
async def modelled_stack(
    data_dir: Path, models: ScriptedModels, **more: str
) -> AsyncIterator[Live]:
    """The whole stack, with models ``first`` and ``second`` of a server of the user's own.

    A token costs a tenth of a cent. A model ``tiny`` would read 4,096 of them. ``more`` are other
    variables.
    """
    price = {"input": 1_000, "output": 1_000}
    settings = {
        "OPENAI_BASE_URL": models.url,
        "OPENAI_API_KEY": "sk-only-for-tests",
        "AGENTOS_MODELS": "first,second",
        "AGENTOS_PRICES": json.dumps({"first": price, "second": price}),
        "AGENTOS_MODEL_CONTEXT_TOKENS": json.dumps({"tiny": 4_096}),
        # What one test's model refuses must not be held against that of another.
        "AGENTOS_BREAKER_CALLS": "1000",
        "AGENTOS_MAX_RUNNING_STEPS": "16",  # Ten branches of a plan, and what else there is.
    }
    async with live_stack(data_dir, **settings, **more) as live:
        yield live
