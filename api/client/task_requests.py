"""The calls that hand in tasks, or make others of those that are there."""

from typing import TypeVar

from api.client.asking import Fields, Key, asked, keyed, keyed_if_given, only_tried
from api.client.calls import Id, json_of, part
from api.client.errors import RequestMistaken
from api.client.tasks import TaskCalls
from api.wire.requests import CompileRequest, RerunRequest, RetryRequest
from api.wire.responses.checks import RerunCheck, TaskCheck
from api.wire.responses.compilation import Compilation
from api.wire.responses.dead_letters import Foresight
from api.wire.responses.tasks import Accepted, Changed
from workflows.definitions.task_request import TaskRequest
from workflows.pointers import Problem

Repeat = TypeVar("Repeat", RetryRequest, RerunRequest)


class TaskRequestCalls(TaskCalls):
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

    async def retry(self, task_id: Id, request: RetryRequest | Fields | None = None) -> Changed:
        """Retry a task that has ended, by default from where it failed."""
        path = f"/tasks/{part(task_id)}/retry"
        # Not repeatable: it might have begun, and ended, before it was asked for again.
        body = json_of(_serious(RetryRequest, {} if request is None else request, "foresee_retry"))
        return await self._transport.call("POST", path, Changed, body=body)

    async def rerun(
        self, task_id: Id, request: RerunRequest | Fields, *, idempotency_key: Key = None
    ) -> Accepted:
        """Submit a new task like another one. An answer that is lost makes no second task."""
        return await self._transport.call(
            "POST",
            f"/tasks/{part(task_id)}/rerun",
            Accepted,
            body=json_of(_serious(RerunRequest, request, "check_rerun")),
            headers=keyed(idempotency_key),
            repeatable=True,
        )

    async def check(
        self, body: bytes, content_type: str, *, idempotency_key: str | None = None
    ) -> TaskCheck:
        """Say what is wrong with a task, or what it would run; nothing is accepted.

        ``body`` is what would be submitted, right or wrong.
        """
        return await self._transport.call(
            "POST",
            "/tasks/check",
            TaskCheck,
            body=body,
            headers={"Content-Type": content_type, **keyed_if_given(idempotency_key)},
            repeatable=True,
        )

    async def foresee_retry(self, task_id: Id, request: RetryRequest | Fields) -> Foresight:
        """What a retry would do."""
        path = f"/tasks/{part(task_id)}/retry"
        return await self._post(path, Foresight, only_tried(RetryRequest, request))

    async def check_rerun(
        self, task_id: Id, request: RerunRequest | Fields, *, idempotency_key: Key = None
    ) -> RerunCheck:
        """What ``rerun`` would submit, and what is wrong with that; nothing is accepted."""
        return await self._transport.call(
            "POST",
            f"/tasks/{part(task_id)}/rerun",
            RerunCheck,
            body=json_of(only_tried(RerunRequest, request)),
            headers=keyed_if_given(idempotency_key),
            repeatable=True,
        )

    async def compile(self, task_id: Id, request: CompileRequest | Fields) -> Compilation:
        """What the agent of a task did, as a pipeline."""
        path = f"/tasks/{part(task_id)}/compile"
        return await self._post(path, Compilation, asked(CompileRequest, request))


def _serious(kind: type[Repeat], given: Repeat | Fields, trial: str) -> Repeat:
    """Raises ``RequestMistaken``, where it is only tried: that has another answer."""
    request = asked(kind, given)
    if request.dry_run:
        raise RequestMistaken([Problem("/dry_run", f"{trial}() is the call for that")])
    return request
