from collections.abc import AsyncIterator

import pytest

from activities.sandbox.base import Sandbox
from tests.integration.sandboxes import Bench, backend, open_folder


@pytest.fixture(scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    with open_folder() as folder:
        async with backend("bubblewrap", folder) as sandbox:
            yield sandbox


@pytest.fixture
async def bench(sandbox: Sandbox) -> AsyncIterator[Bench]:
    with open_folder() as folder:
        yield Bench(sandbox, folder)
