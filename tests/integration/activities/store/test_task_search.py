"""Whatever way a page of tasks is found, it is the page that a plain look at all of them gives."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from activities.store import keys
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.reading.cursor import Cursor
from activities.store.reading.task_search import TaskFilter, find_page
from activities.store.tables import Task
from workflows.states import Status, TaskType

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("sales-report", "Sales_digest", "100% stock", "umsatz\\ost", "ÄRGER im Büro", "x")
PROMPTS = (None, "Summarise the northern orders", "count a_b and 5%", "SALES of the week")
TEXTS = ("sales", "SALES", "a_b", "0%", "\\o", "är", "ä", "northern orders", "no such words", "%")
TASKS = 300


@dataclass(frozen=True, slots=True)
class Row:
    id: UUID
    created_at: datetime
    type: TaskType
    status: Status
    name: str
    prompt: str | None
    parent_id: UUID | None

    def fits(self, wanted: TaskFilter) -> bool:
        text = (wanted.text or "").lower()
        return (
            self.parent_id == wanted.parent_id
            and self.status in (wanted.statuses or Status)
            and self.type in (wanted.types or TaskType)
            and (text in self.name.lower() or text in (self.prompt or "").lower())
            and wanted.name in (None, self.name)
            and (wanted.created_after is None or self.created_at > wanted.created_after)
            and (wanted.created_before is None or self.created_at < wanted.created_before)
        )


@pytest.fixture
async def rows(database: Database) -> Sequence[Row]:
    """Tasks in no order, some of the same moment, some of another team, some nodes of a plan."""
    chance = random.Random(7)
    stranger = await keys.create_team(database, "stranger")
    parent = uuid4()
    made = [
        Row(
            id=uuid4(),
            created_at=BEGAN + timedelta(minutes=chance.randrange(TASKS // 2)),
            type=chance.choice(list(TaskType)),
            status=chance.choice(list(Status)),
            name=chance.choice(NAMES),
            prompt=chance.choice(PROMPTS),
            parent_id=parent if chance.random() < 0.1 else None,
        )
        for _ in range(TASKS)
    ]
    async with database.writing() as connection:
        for row in made:
            for team_id, key in ((DEFAULT_TEAM, row.id), (stranger, uuid4())):
                await connection.execute(
                    insert(Task).values(
                        id=key,
                        team_id=team_id,
                        parent_id=row.parent_id,
                        type=row.type,
                        status=row.status,
                        name=row.name,
                        prompt=row.prompt,
                        inputs={},
                        created_at=row.created_at,
                        finished_at=row.created_at if row.status.is_final else None,
                    )
                )
    return sorted(made, key=lambda row: (row.created_at, row.id), reverse=True)


def filters(rows: Sequence[Row]) -> Sequence[TaskFilter]:
    """All the ways to look, and some of their combinations."""
    chance = random.Random(11)
    middle = BEGAN + timedelta(minutes=TASKS // 4)
    [parent] = {row.parent_id for row in rows if row.parent_id}
    made = [TaskFilter(), TaskFilter(parent_id=parent), TaskFilter(text="sales", parent_id=parent)]
    made += [TaskFilter(text=text) for text in TEXTS]
    made += [TaskFilter(name=name) for name in (*NAMES, "sales", "X")]
    for _ in range(40):
        made.append(
            TaskFilter(
                statuses=chance.choices(list(Status), k=chance.randrange(4)),
                types=chance.choices(list(TaskType), k=chance.randrange(3)),
                text=chance.choice((None, *TEXTS)),
                created_after=chance.choice((None, BEGAN + timedelta(minutes=20))),
                created_before=chance.choice((None, middle)),
                parent_id=chance.choice((None, None, parent)),
                name=chance.choice((None, None, None, *NAMES)),
            )
        )
    return made


@pytest.mark.parametrize("looked_through", [7, 10_000])
async def test_pages_are_those_of_a_plain_look_at_all_tasks(
    database: Database, rows: Sequence[Row], looked_through: int
) -> None:
    places = {row.id: Cursor(row.created_at, row.id) for row in rows}
    async with database.reading() as connection:
        for wanted in filters(rows):
            if wanted.text is not None and len(wanted.text) < 3 and looked_through < TASKS:
                continue  # Such a text is looked for in the newest only.
            found: list[UUID] = []
            cursor: Cursor | None = None
            while page := await find_page(
                connection, DEFAULT_TEAM, wanted, cursor, 9, looked_through=looked_through
            ):
                assert len(page) <= 9
                found += page
                cursor = places[page[-1]]
            assert found == [row.id for row in rows if row.fits(wanted)], wanted


async def test_a_short_text_is_looked_for_in_the_newest_only(
    database: Database, rows: Sequence[Row]
) -> None:
    wanted = TaskFilter(text="är")
    async with database.reading() as connection:
        found = await find_page(connection, DEFAULT_TEAM, wanted, None, TASKS, looked_through=50)
    newest = [row for row in rows if row.parent_id is None][:50]
    assert found == [row.id for row in newest if row.fits(wanted)]


async def test_a_long_prompt_among_the_older_is_found_by_its_beginning(database: Database) -> None:
    async with database.writing() as connection:
        for number, prompt in enumerate((f"begin {'x' * 2_000} end", "new", "newer")):
            await connection.execute(
                insert(Task).values(
                    id=uuid4(),
                    team_id=DEFAULT_TEAM,
                    type=TaskType.AGENT,
                    status=Status.COMPLETED,
                    name="n",
                    prompt=prompt,
                    inputs={},
                    created_at=BEGAN + timedelta(minutes=number),
                )
            )
    async with database.reading() as connection:

        async def count(text: str, looked_through: int) -> int:
            wanted = TaskFilter(text=text)
            return len(
                await find_page(
                    connection, DEFAULT_TEAM, wanted, None, 5, looked_through=looked_through
                )
            )

        assert await count("begin", 2) == 1
        assert await count(" end", 2) == 0
        assert await count(" end", 3) == 1
