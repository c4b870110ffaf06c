"""The files of a task, as a tool reads them."""

import asyncio
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.options import S3Options
from activities.tools.context import AgentContext
from activities.tools.files import opened
from tests.equipment import equipment

# Nobody answers there.
DATABASE = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
BLOBS = Blobs(S3Options("http://127.0.0.1:1", "bucket", "key", "secret"))


async def test_a_tool_of_an_agent_waits_for_a_database_that_is_away(tmp_path: Path) -> None:
    """Else each moment without it would be a failed call."""
    nothing = cast(Any, None)
    context = AgentContext(
        *(UUID(int=1), UUID(int=2), tmp_path, equipment(DATABASE, BLOBS, tmp_path)),
        code=tmp_path,
        reporter=nothing,
        skills=nothing,
        server_tools=nothing,
        call_id=UUID(int=3),
    )
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2), opened(context, "data.csv"):
            pass
