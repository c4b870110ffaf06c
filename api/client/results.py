"""Waiting for the end of tasks, and what they gave."""

import asyncio
import math
import random
import time
from collections.abc import Mapping
from pathlib import Path

from api.client.calls import Id, part
from api.client.errors import (
    ApiProblem,
    ApiUnreachable,
    RequestMistaken,
    ResultUnknown,
    StillRunning,
    TaskUnsuccessful,
    TooManyRequests,
)
from api.client.files import FileCalls
from api.client.following import BACKOFF, PATIENCE_SECONDS
from api.client.history import HistoryCalls
from api.client.transfer import told_apart
from api.client.transport import PASSING_STATUSES
from api.wire.requests import MAX_WAIT_SECONDS
from api.wire.responses.files import Artifact
from api.wire.responses.pages import MAX_PAGE
from api.wire.responses.tasks import AgentResult, Result, Task
from workflows.pointers import Problem
from workflows.states import Status

# Who cancels a task says nothing about why.
_UNTOLD: Mapping[object, str] = {Status.CANCELLED: "it was cancelled before its end."}
_LEAST_SECONDS = 1.0  # That the server waits, and between two looks where it does not.


class ResultCalls(HistoryCalls, FileCalls):
    """Part of ``Client``."""

    async def wait(self, task_id: Id, *, timeout_seconds: float | None = None) -> Task:
        """The task, once it has ended, however that was and however long it takes. An API that
        goes away for up to two minutes is waited for. With ``timeout_seconds=0`` it is asked once.

        Raises:
            StillRunning: it has not ended within ``timeout_seconds``.
            RequestMistaken: these are no seconds.
            ApiProblem, ApiUnreachable, NotTheApi
        """
        _check_seconds(timeout_seconds)
        if timeout_seconds is not None and timeout_seconds < _LEAST_SECONDS:
            # No answer may come in so short a time, and the task may have ended long ago.
            task = await self._get(f"/tasks/{part(task_id)}", Task)
            if task.status.is_final:
                return task
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    task = await self._task_once_ended(task_id, timeout_seconds)
                    if task.status.is_final:
                        return task
        except TimeoutError as error:
            raise StillRunning(task_id=task_id, seconds=timeout_seconds) from error

    async def result(
        self, task_id: Id, *, timeout_seconds: float | None = None
    ) -> Result | AgentResult:
        """What a task gave, once it has ended: of a pipeline its last step, of an agent or a plan
        what it passed to ``finish``.

        Raises:
            TaskUnsuccessful: it ended in another way.
            ResultUnknown: it gave what no version of this client knows; ``wait`` has it.
            StillRunning, ApiProblem, ApiUnreachable, NotTheApi
        """
        return result_of(await self.wait(task_id, timeout_seconds=timeout_seconds))

    async def download_artifacts(self, task_id: Id, folder: Path | str) -> list[Path]:
        """Fetch all files that a task made into a folder, each whole and verified. Those of the
        same name go into a folder for each step.

        Raises:
            ArtifactNameRefused, FileUnwritable, DownloadDamaged
            ApiProblem, ApiUnreachable, NotTheApi
        """
        items: list[Artifact] = []
        cursor: str | None = None
        while True:
            page = await self.artifacts(
                task_id, {"limit": MAX_PAGE, **({"cursor": cursor} if cursor else {})}
            )
            items += page.items
            if (cursor := page.next_cursor) is None:
                break
        # Links lead elsewhere: there are no bytes of theirs to fetch.
        wanted = told_apart([item for item in items if item.sha256])
        return [await self.download(item, Path(folder)) for item in wanted]

    async def _task_once_ended(self, task_id: Id, timeout_seconds: float | None) -> Task:
        """As the API has it after its longest wait."""
        longest = MAX_WAIT_SECONDS if timeout_seconds is None else math.ceil(timeout_seconds)
        seconds = min(MAX_WAIT_SECONDS, max(1, longest))
        pauses, lost_at = BACKOFF.pauses(random.uniform), math.inf
        while True:
            began = time.monotonic()
            try:
                task = await self._wait_once(task_id, seconds)
            except (ApiUnreachable, ApiProblem) as error:
                lost_at = min(lost_at, time.monotonic())
                if time.monotonic() - lost_at > PATIENCE_SECONDS or not _may_pass(error):
                    raise
                await asyncio.sleep(max(next(pauses), error.retry_after_seconds or 0.0))
                continue
            if not task.status.is_final and time.monotonic() - began < _LEAST_SECONDS:
                # The server stops, or knows an end that is unknown here.
                await asyncio.sleep(_LEAST_SECONDS)
            return task

    async def _wait_once(self, task_id: Id, seconds: int) -> Task:
        return await self._transport.call(
            "GET",
            f"/tasks/{part(task_id)}",
            Task,
            params={"wait": seconds},
            repeatable=True,
            timeout_seconds=self._transport.timeout_seconds + seconds,
        )


def result_of(task: Task) -> Result | AgentResult:
    """Raises ``TaskUnsuccessful`` and ``ResultUnknown``."""
    if task.status is Status.COMPLETED:
        if isinstance(task.result, Result | AgentResult):
            return task.result
        raise ResultUnknown(task_id=task.task_id, type=task.type.value)
    error = task.error or {}
    raise TaskUnsuccessful(
        task_id=task.task_id,
        status=task.status.value,
        failure=str(error.get("code", task.status.value)),
        message=str(error.get("message") or _UNTOLD.get(task.status, "nothing says why.")),
    )


def _check_seconds(given: object) -> None:
    if given is None:
        return
    if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
        wanted = "a number of seconds, 0 or more"
        raise RequestMistaken([Problem("/timeout_seconds", f"it must be {wanted}, not {given!r}")])


def _may_pass(error: ApiUnreachable | ApiProblem) -> bool:
    if isinstance(error, ApiUnreachable | TooManyRequests):
        return True
    return error.status in PASSING_STATUSES
