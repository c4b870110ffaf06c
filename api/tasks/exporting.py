"""All that is known of a task, as files to take away: what was asked for, said, printed and
made."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, JsonValue

from activities.off_loop import off_loop
from activities.store.reading.artifacts import all_artifacts
from activities.store.reading.attempts import list_attempts
from activities.store.reading.cursor import Cursor
from activities.store.reading.messages import list_messages
from activities.store.reading.tasks import find_details
from activities.store.reading.traces import find_trace
from api.services import Services
from api.tasks import history
from api.tasks.inputs import described
from api.tasks.lookup import found
from api.tasks.tracing import spans
from api.tasks.views import Views
from api.wire.responses.files import TaskInputList
from api.wire.responses.tasks import Task
from api.wire.yaml_writer import yaml_text
from workflows.states import TaskType

_PAGE = 200

Item = TypeVar("Item")
Place = TypeVar("Place")


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """``sha256`` is that of bytes in the store; else the file is its ``parts``, as they come."""

    name: str
    created_at: datetime
    sha256: str | None = None
    size: int = 0
    parts: AsyncIterator[bytes] | None = None


async def exported(
    services: Services, team_id: UUID, task_id: UUID
) -> AsyncGenerator[ExportedFile, None]:
    """The task, with the tasks of its nodes in folders of their own. Their files are its own, too.

    Raises:
        NotFound
    """
    stack = [(task_id, "")]
    while stack:
        one, folder = stack.pop()
        details = await find_details(services.database, team_id, one)
        if details is None and folder:  # A node that was deleted just now.
            continue
        task = Views(services.options).task(found(details, one))
        async for file in _of_one(services, team_id, task, folder):
            yield file
        stack += [
            (part.task_id, f"{folder}nodes/{part.name}/")
            for part in task.sub_tasks
            if part.task_id is not None
        ]


async def _of_one(
    services: Services, team_id: UUID, task: Task, folder: str
) -> AsyncGenerator[ExportedFile, None]:
    def text(name: str, parts: AsyncIterator[bytes]) -> ExportedFile:
        return ExportedFile(f"{folder}{name}", task.created_at, parts=parts)

    yield text("task.json", _document(task))
    if task.type is TaskType.PIPELINE and task.definition:
        yield text("pipeline.yaml", _yaml(task.definition))
    inputs = await described(services, team_id, task.inputs)
    yield text("inputs.json", _document(TaskInputList(items=list(inputs))))
    trace = await find_trace(services.database, team_id, task.task_id)
    if trace is not None:
        yield text("trace.json", _document(await off_loop(spans, trace)))
    yield text("logs.jsonl", _attempts(services, team_id, task.task_id))
    if task.type is not TaskType.PIPELINE:
        yield text("messages.jsonl", _messages(services, team_id, task.task_id))
    if folder:
        return
    for given in inputs:
        if given.file is not None:
            name = f"inputs/{given.name}/{given.file.name}"
            yield ExportedFile(name, task.created_at, given.file.sha256, given.file.size)
    async for made in all_artifacts(services.database, team_id, task.task_id):
        if made.sha256 is not None:
            name = f"artifacts/{made.step}/{made.name}"
            yield ExportedFile(name, made.created_at, made.sha256, made.size)


async def _attempts(services: Services, team_id: UUID, task_id: UUID) -> AsyncIterator[bytes]:
    async def page(cursor: Cursor | None) -> tuple[Sequence[BaseModel], Cursor | None]:
        found, following = await list_attempts(services.database, team_id, task_id, cursor, _PAGE)
        return list(map(history.attempt, found)), following

    async for line in _lines(page):
        yield line


async def _messages(services: Services, team_id: UUID, task_id: UUID) -> AsyncIterator[bytes]:
    async def page(after: int | None) -> tuple[Sequence[BaseModel], int | None]:
        found, last = await list_messages(services.database, team_id, task_id, after or 0, _PAGE)
        return list(map(history.message, found)), last

    async for line in _lines(page):
        yield line


async def _lines(
    page: Callable[[Place | None], Awaitable[tuple[Sequence[BaseModel], Place | None]]],
) -> AsyncIterator[bytes]:
    """A line of JSON for each, read and written a page at a time."""
    place: Place | None = None
    while True:
        items, place = await page(place)
        for item in items:
            yield await asyncio.to_thread(_line, item)
        if place is None:
            return


def _line(item: BaseModel) -> bytes:
    return item.model_dump_json().encode() + b"\n"


async def _document(document: BaseModel) -> AsyncIterator[bytes]:
    yield await asyncio.to_thread(lambda: document.model_dump_json(indent=2).encode() + b"\n")


async def _yaml(document: Mapping[str, JsonValue]) -> AsyncIterator[bytes]:
    text = await off_loop(yaml_text, dict(document))
    yield text.encode()
