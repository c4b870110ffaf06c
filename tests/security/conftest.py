from collections.abc import AsyncIterator

import pytest

from activities.sandbox.base import Sandbox
from activities.sandbox.bubblewrap import Bubblewrap
from tests.integration.sandboxes import Bench, Warmed, open_folder


@pytest.fixture(scope="session", params=["cold", "warm"])
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """One that starts a sandbox for each job, and one whose jobs come to one that waits."""
    is_warm = request.param == "warm"
    with open_folder() as folder:
        made = Bubblewrap(folder, warm=8 if is_warm else 0)
        yield Warmed(made) if is_warm else made
        await made.close()


@pytest.fixture
async def bench(sandbox: Sandbox) -> AsyncIterator[Bench]:
    with open_folder() as folder:
        yield Bench(sandbox, folder)
