"""Whether anything polls a task queue, as a machine's check of its health asks."""

from pathlib import Path

import pytest

from deploy.local.services import StackOptions
from deploy.polling import NotPolling, check_polling
from tests.live import Live


async def test_a_machine_without_a_worker_is_told_from_one_with(
    live: Live, monkeypatch: pytest.MonkeyPatch, task_queue: str
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", live.services.temporal_address)
    await check_polling(StackOptions(Path()).task_queue)
    with pytest.raises(NotPolling, match=task_queue):
        await check_polling(task_queue)
