"""The calls of tasks."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from api.client import task_events
from api.client.asking import Fields, Key, asked, keyed
from api.client.calls import Calls, Id, json_of, part
from api.client.following import follow
from api.client.queries import Filter, queried
from api.client.task_events import TaskEvent
from api.client.transport import Params
from api.wire.requests import CompileRequest, RerunRequest, RetryRequest
from api.wire.responses.checks import RerunCheck, TaskCheck
from api.wire.responses.compilation import Compilation
from api.wire.responses.dead_letters import Foresight
from api.wire.responses.pages import Page
from api.wire.responses.plans import PlanOfTask
from api.wire.responses.tasks import Accepted, Changed, Task, TaskSummary
from workflows.definitions.task_request import TaskRequest


class TaskCalls(Calls):
    """Part of ``Client``."""

    async def submit(
        self, request: TaskRequest | Fields, *, idempotency_key: Key = None
    ) -> Accepted:
        """Hand in a task. An answer that is lost on the way makes no second task."""
        return await self._transport.call(
            "POST",
            "/tasks",
            Accepted,
            body=json_of(asked(TaskRequest, request)),
            headers=keyed(idempotency_key),
            repeatable=True,
        )

    async def tasks(self, /, params: Params | None = None, **filters: Filter) -> Page[TaskSummary]:
        """A page of tasks, the newest first. ``params``, or keywords, as
        in ``status="failed"``, are the query of ``GET /tasks``."""
        return await self._get("/tasks", Page[TaskSummary], queried(params, filters))

    async def task(self, task_id: Id) -> Task:
        return await self._get(f"/tasks/{part(task_id)}", Task)

    async def plan(self, task_id: Id) -> PlanOfTask:
        """The nodes of a plan, with their states."""
        return await self._get(f"/tasks/{part(task_id)}/plan", PlanOfTask)

    async def cancel(self, task_id: Id) -> Changed:
        return await self._change(task_id, "cancel")

    async def delete(self, task_id: Id) -> None:
        """Delete a task that has ended, with everything that is its own."""
        await self._transport.delete(f"/tasks/{part(task_id)}")

    async def pause(self, task_id: Id) -> Changed:
        return await self._change(task_id, "pause")

    async def resume(self, task_id: Id) -> Changed:
        return await self._change(task_id, "resume")

    async def retry(self, task_id: Id, request: RetryRequest | Fields | None = None) -> Changed:
        """Retry a task that has ended, by default from where it failed."""
        path = f"/tasks/{part(task_id)}/retry"
        # Not repeatable: it might have begun, and ended, before it was asked for again.
        body = json_of(asked(RetryRequest, {} if request is None else request))
        return await self._transport.call("POST", path, Changed, body=body)

    async def rerun(
        self, task_id: Id, request: RerunRequest | Fields, *, idempotency_key: Key = None
    ) -> Accepted:
        """Submit a new task like another one. An answer that is lost makes no second task."""
        return await self._transport.call(
            "POST",
            f"/tasks/{part(task_id)}/rerun",
            Accepted,
            body=json_of(asked(RerunRequest, request)),
            headers=keyed(idempotency_key),
            repeatable=True,
        )

    async def check(
        self, body: bytes, content_type: str, *, idempotency_key: str | None = None
    ) -> TaskCheck:
        """Say what is wrong with a task, or what it would run; nothing is accepted.

        ``body`` is what would be submitted, right or wrong.
        """
        key = {} if idempotency_key is None else keyed(idempotency_key)
        return await self._transport.call(
            "POST",
            "/tasks/check",
            TaskCheck,
            body=body,
            headers={"Content-Type": content_type, **key},
            repeatable=True,
        )

    async def foresee_retry(self, task_id: Id, request: RetryRequest | Fields) -> Foresight:
        """What a retry would do."""
        return await self._foresee(f"/tasks/{part(task_id)}/retry", RetryRequest, request)

    async def check_rerun(
        self, task_id: Id, request: RerunRequest | Fields, *, idempotency_key: Key = None
    ) -> RerunCheck:
        """What ``rerun`` would submit, and what is wrong with that; nothing is accepted."""
        wanted = asked(RerunRequest, request).model_copy(update={"dry_run": True})
        return await self._transport.call(
            "POST",
            f"/tasks/{part(task_id)}/rerun",
            RerunCheck,
            body=json_of(wanted),
            headers={} if idempotency_key is None else keyed(idempotency_key),
            repeatable=True,
        )

    async def compile(self, task_id: Id, request: CompileRequest | Fields) -> Compilation:
        """What the agent of a task did, as a pipeline."""
        path = f"/tasks/{part(task_id)}/compile"
        return await self._post(path, Compilation, asked(CompileRequest, request))

    async def events(
        self,
        task_id: Id,
        *,
        after: int | None = None,
        on_lost: Callable[[str], None] = lambda reason: None,
    ) -> AsyncGenerator[TaskEvent, None]:
        """All that happened to a task and happens, until its end; only what came ``after`` the
        event of that ``seq``, so that a program which was stopped goes on where it was.

        A lost connection is reopened without a gap; ``on_lost`` is called with the reason.
        """
        path = f"/tasks/{part(task_id)}/events" + ("" if after is None else f"?after={after}")
        received = follow(self._transport, path, is_last=task_events.says_it_ended, on_lost=on_lost)
        async with aclosing(received):
            async for item in received:
                if (event := TaskEvent.read(item)) is not None:
                    yield event
