"""Whether a worker can do its work: what it depends on answers, and it asks for work."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.sandbox.base import Sandbox
from workflows.errors import AgentOSError

CHECK_SECONDS = 3.0
# Whoever asks may be anybody, and again and again.
KEPT_SECONDS = 1.0
_SANDBOX_SECONDS = 20.0
_SANDBOX_KEPT_SECONDS, _SANDBOX_AGAIN_SECONDS = 300.0, 15.0
# A poll lasts a minute, and is known from its beginning.
_POLLED_WITHIN = timedelta(seconds=70)

Check = Callable[[], Awaitable[object]]

log = structlog.get_logger(__name__)


class NotUsable(Exception):
    """Why something that a worker needs cannot be used."""


class State(StrEnum):
    STARTING = "starting"
    READY = "ready"
    NOT_READY = "not ready"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Dependency:
    name: str
    is_up: bool
    latency_ms: float


class Readiness:
    """``state`` is set by whoever starts and ends the worker; ``checks`` come once it has begun."""

    def __init__(self, *, check_seconds: float = CHECK_SECONDS) -> None:
        self._check_seconds = check_seconds
        self.state = State.STARTING
        self.checks: Mapping[str, Check] = {}
        self._looking = asyncio.Lock()
        self._seen_at = -KEPT_SECONDS
        self._seen: Sequence[Dependency] = ()

    async def look(self) -> tuple[State, Sequence[Dependency]]:
        async with self._looking:
            if time.monotonic() - self._seen_at >= KEPT_SECONDS:
                looks = (self._look(name, check) for name, check in self.checks.items())
                self._seen = await asyncio.gather(*looks)
                self._seen_at = time.monotonic()
        is_well = all(each.is_up for each in self._seen)
        if self.state is State.READY and not is_well:
            return State.NOT_READY, self._seen
        return self.state, self._seen

    async def _look(self, name: str, check: Check) -> Dependency:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._check_seconds):
                await check()
        except (AgentOSError, NotUsable, TimeoutError) as error:
            # Why is for the log: the answer is open to everybody.
            log.warning("dependency.down", name=name, reason=str(error) or "it does not answer")
            is_up = False
        else:
            is_up = True
        return Dependency(name, is_up, round((time.perf_counter() - started) * 1_000, 1))


def polling(client: Client, task_queue: str) -> Check:
    """Whether Temporal knows that this worker, as its ``client`` calls itself, asks for work."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        # Not that of activities: a worker that is fully used does not ask for any.
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )

    async def check() -> None:
        try:
            found = await client.workflow_service.describe_task_queue(
                request, timeout=timedelta(seconds=CHECK_SECONDS)
            )
        except (RPCError, RuntimeError) as error:
            raise NotUsable(str(error)) from error
        oldest = datetime.now(UTC) - _POLLED_WITHIN
        polls = (each for each in found.pollers if each.identity == client.identity)
        if not any(each.last_access_time.ToDatetime(UTC) > oldest for each in polls):
            raise NotUsable("this worker has not asked for work lately")

    return check


class SandboxCheck:
    """Tries the sandbox now and then, beside whoever asks: it takes longer than they wait."""

    def __init__(self, sandbox: Sandbox, *, again_seconds: float = _SANDBOX_AGAIN_SECONDS) -> None:
        self._again_seconds = again_seconds
        self._sandbox = sandbox
        self._due_at = 0.0
        self._trying: asyncio.Task[None] | None = None
        self._reason = "it was not tried yet"

    async def __call__(self) -> None:
        if self._trying is None and time.monotonic() >= self._due_at:
            self._trying = asyncio.create_task(self._try())
        if self._reason and self._trying is not None:
            await asyncio.shield(self._trying)
        if self._reason:
            raise NotUsable(self._reason)

    async def close(self) -> None:
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.wait({self._trying})

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(_SANDBOX_SECONDS):
                await self._sandbox.check()
        except (AgentOSError, TimeoutError, OSError) as error:
            self._reason = str(error) or "it does not answer"
            self._due_at = time.monotonic() + self._again_seconds
        else:
            self._reason = ""
            kept = float("inf") if self._sandbox.has_costly_check else _SANDBOX_KEPT_SECONDS
            self._due_at = time.monotonic() + kept
        finally:
            self._trying = None
