"""Files that are deleted at the very moment in which something is accepted that names them: either
the one or the other happens."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from activities.inputs.errors import InputsGone
from activities.store import begun_tasks, inbox, schedules, tasks
from activities.store.audit import Deed
from activities.store.database import Database
from activities.store.file_removal import FileUser, remove_file
from activities.store.files import Upload, create_file
from activities.store.group_messages import PostedToGroup
from activities.store.housekeeping.tasks import NotDeleted, mark_deleted
from activities.store.inbox import NewMessage, Posted
from activities.store.keys import DEFAULT_TEAM
from activities.store.schedules import NewSchedule, Written
from tests.actors import SOMEBODY
from tests.integration.group_desk import GroupDesk
from tests.integration.new_tasks import new_task
from tests.integration.resident_rows import new_agent, write
from tests.integration.restarts import restart
from tests.integration.stuck_tables import stuck
from workflows.contracts import TaskClose
from workflows.definitions.agent import Agent
from workflows.schedule_contracts import Overlap
from workflows.states import Status, TaskType

# Writes something that names the reference it is given.
Writing = Callable[[str], Awaitable[object]]


async def submitting(database: Database) -> Writing:
    async def write_it(ref: str) -> object:
        task = new_task(TaskType.AGENT, Agent(), inputs={"data": ref})
        assert (await tasks.create_task(database, task)).is_new
        return task.id

    return write_it


async def beginning(database: Database) -> Writing:
    agent_id = await new_agent(database)

    async def write_it(ref: str) -> object:
        task = new_task(TaskType.AGENT, Agent(), inputs={"data": ref}, agent_id=agent_id)
        assert await begun_tasks.begin(database, task, hops=0, most=10) is None
        return task.id

    return write_it


async def retrying(database: Database) -> Writing:
    task_id = await ended_task(database)

    async def write_it(ref: str) -> object:
        assert await restart(database, task_id, 1, first_step=0, inputs={"data": ref})
        return task_id

    return write_it


def new_schedule(ref: str) -> NewSchedule:
    return NewSchedule(
        id=uuid4(),
        name=f"daily {uuid4()}",
        cron="0 0 * * *",
        every_seconds=None,
        time_zone="UTC",
        task={"prompt": "Look.", "inputs": {"data": ref}},
        overlap=Overlap.SKIP,
        catch_up_seconds=60.0,
        is_paused=False,
        note="",
    )


async def scheduling(database: Database) -> Writing:
    async def write_it(ref: str) -> object:
        new = new_schedule(ref)
        done = await schedules.create_schedule(database, SOMEBODY, new, most=100)
        assert done is Written.DONE
        return new.name

    return write_it


async def rescheduling(database: Database) -> Writing:
    new = new_schedule("https://files.example/data.csv")
    await schedules.create_schedule(database, SOMEBODY, new, most=100)

    async def write_it(ref: str) -> object:
        changes = {"task": {"prompt": "Look.", "inputs": {"data": ref}}}
        deed = Deed("schedule.changed", str(new.id))
        done = await schedules.change_schedule(database, SOMEBODY, new.id, changes, deed)
        assert done is Written.DONE
        return new.name

    return write_it


async def messaging(database: Database) -> Writing:
    agent_id = await new_agent(database)

    async def write_it(ref: str) -> object:
        posted = await inbox.post(
            database,
            NewMessage(
                agent_id=agent_id, team_id=DEFAULT_TEAM, content="Look", attachments={"data": ref}
            ),
        )
        assert isinstance(posted, Posted)
        return posted.id

    return write_it


async def discussing(database: Database) -> Writing:
    desk = await GroupDesk.of(database, 2)

    async def write_it(ref: str) -> object:
        assert isinstance(await desk.post("Look", attachments={"data": ref}), PostedToGroup)
        return None

    return write_it


WRITERS = [submitting, beginning, retrying, scheduling, rescheduling, messaging, discussing]
KINDS = dict(zip(WRITERS, ["task"] * 3 + ["schedule"] * 2 + ["message"] * 2, strict=True))


async def ended_task(database: Database) -> UUID:
    task = new_task(TaskType.AGENT, Agent())
    await tasks.create_task(database, task)
    close = TaskClose(task_id=task.id, team_id=DEFAULT_TEAM, run=1, status=Status.COMPLETED)
    await tasks.close_task(database, close)
    return task.id


async def uploaded(database: Database) -> UUID:
    upload = Upload(uuid4(), "data.csv", 4, "text/csv", uuid4().hex * 2)
    return (await create_file(database, DEFAULT_TEAM, upload)).file.id


async def made_by(database: Database, task_id: UUID) -> UUID:
    """An artifact of a task."""
    values: dict[str, Any] = {"task_id": task_id, "team_id": DEFAULT_TEAM, "sub_task": uuid4()}
    await write(
        database,
        """
        INSERT INTO sub_tasks
            (id, team_id, task_id, name, task_type, status, dependencies, input_context,
             retry_count, execution_order)
        VALUES (:sub_task, :team_id, :task_id, 'call', 'tool', 'completed', '[]', '{}', 0, 0)""",
        **values,
    )
    artifact_id, sha256 = uuid4(), uuid4().hex * 2
    await write(
        database,
        """
        INSERT INTO task_artifacts
            (id, team_id, task_id, sub_task_id, type, name, size, mime_type, sha256)
        VALUES (:id, :team_id, :task_id, :sub_task, 'file', 'a.csv', 4, 'text/csv', :sha256)""",
        id=artifact_id,
        sha256=sha256,
        **values,
    )
    return artifact_id


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__)
async def test_what_names_a_file_that_is_being_deleted_is_not_written(
    database: Database, writer: Callable[[Database], Awaitable[Writing]]
) -> None:
    file_id, write_it = await uploaded(database), await writer(database)
    async with stuck(database, "audit_log") as until_waiting:
        removing = asyncio.ensure_future(remove_file(database, SOMEBODY, file_id))
        await until_waiting(removing)
        writing = asyncio.ensure_future(write_it(f"file:{file_id}"))
        await until_waiting(removing, writing)
    assert await removing is None
    with pytest.raises(InputsGone, match=f"there is no file with the id of file:{file_id}") as gone:
        await writing
    assert [each.pointer for each in gone.value.problems] == ["/inputs/data"]


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__)
async def test_a_file_is_not_deleted_while_something_is_written_that_names_it(
    database: Database, writer: Callable[[Database], Awaitable[Writing]]
) -> None:
    file_id, write_it = await uploaded(database), await writer(database)
    async with stuck(database, "events", "inbox", "audit_log") as until_waiting:
        writing = asyncio.ensure_future(write_it(f"file:{file_id}"))
        await until_waiting(writing)
        removing = asyncio.ensure_future(remove_file(database, SOMEBODY, file_id))
        await until_waiting(writing, removing)
    await writing
    user = await removing
    assert isinstance(user, FileUser)
    assert user.kind == KINDS[writer]


async def test_what_names_a_file_of_a_task_that_is_being_deleted_is_not_written(
    database: Database,
) -> None:
    maker = await ended_task(database)
    artifact_id, write_it = await made_by(database, maker), await submitting(database)
    async with stuck(database, "audit_log") as until_waiting:
        removing = asyncio.ensure_future(mark_deleted(database, SOMEBODY, maker))
        await until_waiting(removing)
        writing = asyncio.ensure_future(write_it(f"artifact:{artifact_id}"))
        await until_waiting(removing, writing)
    assert await removing is None
    with pytest.raises(InputsGone, match="there is no artifact"):
        await writing


async def test_a_task_is_not_deleted_while_something_is_written_that_names_its_file(
    database: Database,
) -> None:
    maker = await ended_task(database)
    artifact_id, write_it = await made_by(database, maker), await submitting(database)
    async with stuck(database, "events", "audit_log") as until_waiting:
        writing = asyncio.ensure_future(write_it(f"artifact:{artifact_id}"))
        await until_waiting(writing)
        removing = asyncio.ensure_future(mark_deleted(database, SOMEBODY, maker))
        await until_waiting(writing, removing)
    assert await removing == NotDeleted(Status.PENDING, await writing)


async def test_a_repeated_message_is_known_though_what_was_attached_is_gone(
    database: Database,
) -> None:
    file_id, agent_id = await uploaded(database), await new_agent(database)
    message = NewMessage(
        agent_id=agent_id,
        team_id=DEFAULT_TEAM,
        content="Look",
        attachments={"data": f"file:{file_id}"},
        client_key="once",
    )
    first = await inbox.post(database, message)
    assert isinstance(first, Posted)
    await write(database, "UPDATE inbox SET read_at = now() WHERE id = :id", id=first.id)
    assert await remove_file(database, SOMEBODY, file_id) is None
    again = await inbox.post(database, message)
    assert isinstance(again, Posted)
    assert (again.id, again.is_new) == (first.id, False)
