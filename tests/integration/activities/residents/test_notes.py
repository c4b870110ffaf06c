"""What agents note: found again by words of any script, whatever is asked, and never too much."""

import asyncio
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.store import notes
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.notes import Note, NotKept
from tests.integration.resident_rows import new_agent, write


@pytest.fixture
async def agent_id(database: Database) -> UUID:
    return await new_agent(database)


async def keep(database: Database, agent_id: UUID, *texts: str) -> None:
    for each in texts:
        assert isinstance(await notes.keep(database, agent_id, DEFAULT_TEAM, uuid4(), each), Note)


async def recalled(database: Database, agent_id: UUID, query: str, limit: int = 10) -> list[str]:
    return [note.text for note in await notes.recall(database, agent_id, query, limit)]


async def listed(database: Database, agent_id: UUID, query: str) -> list[str]:
    found, following = await notes.list_notes(database, agent_id, query, None, 100)
    assert following is None
    return [note.text for note in found]


async def test_recall_gives_the_latest_without_a_query(database: Database, agent_id: UUID) -> None:
    await keep(database, agent_id, "one", "two", "three")
    assert await recalled(database, agent_id, " ", 2) == ["three", "two"]


async def test_recall_prefers_notes_with_the_rarer_words(
    database: Database, agent_id: UUID
) -> None:
    await keep(
        database, agent_id, "the dog is Rex", "the cat is Tom", "the report is due on Monday"
    )
    found = await recalled(database, agent_id, "when is the report due?")
    assert found[0] == "the report is due on Monday"
    assert len(found) == 3


@pytest.mark.parametrize(
    ("note", "query"),
    [
        ("Invoices go to billing@example.com", "invoic"),
        ("Die Größe ist 42", "größ"),
        ("Встреча во вторник", "встреч"),
        ("Συνάντηση την Τρίτη", "συνάντ"),
        ("私は東京に住んでいます", "東京"),
        ("会议在星期二举行", "星期二"),
        ("ประชุมวันอังคาร", "อังคาร"),
        ("회의는 화요일입니다", "화요일"),
        ("الاجتماع يوم الثلاثاء", "الثلاثاء"),
        ("🚀 is the sign of launches", "🚀"),
        ("see https://example.com/a/b?c=d", "example.com"),
        ("it's O'Brien's", "O'Brien"),
        (r"the folder is C:\temp", r"C:\temp"),
    ],
    ids=[
        "prefix",
        "german",
        "russian",
        "greek",
        "japanese",
        "chinese",
        "thai",
        "korean",
        "arabic",
        "sign",
        "address",
        "quote",
        "backslash",
    ],
)
async def test_notes_are_found_by_words_of_any_script(
    database: Database, agent_id: UUID, note: str, query: str
) -> None:
    await keep(database, agent_id, "something else", note)
    assert await recalled(database, agent_id, query) == [note]
    assert await listed(database, agent_id, query) == [note]


async def test_a_list_holds_only_notes_with_all_words(database: Database, agent_id: UUID) -> None:
    await keep(database, agent_id, "red car", "red bicycle", "blue car")
    assert await listed(database, agent_id, "car red") == ["red car"]
    assert set(await recalled(database, agent_id, "car red")) == {
        "red car",
        "red bicycle",
        "blue car",
    }


async def test_no_query_is_an_error(database: Database, agent_id: UUID) -> None:
    await keep(database, agent_id, "a & b", "c")
    hostile = ["&", "|", "!", "(", ":*", "'", "''", "a:b:*", "\\", "<->", "a <-> b", "\0", "%", "_"]

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.one_of(st.sampled_from(hostile), st.text(max_size=40)), max_size=8))
    def queries(parts: list[str]) -> None:
        asked.append(" ".join(parts))

    asked: list[str] = ["x" * 100_000, "\ud800", *hostile]
    queries()
    for query in asked:
        await notes.recall(database, agent_id, query, 10)
        await notes.list_notes(database, agent_id, query, None, 10)


async def test_pages_of_notes_neither_repeat_nor_miss_any(
    database: Database, agent_id: UUID
) -> None:
    texts = [f"note {number}" for number in range(5)]
    await keep(database, agent_id, *texts)
    for query in (None, "note"):
        seen: list[str] = []
        cursor = None
        while True:
            page, cursor = await notes.list_notes(database, agent_id, query, cursor, 2)
            seen += [note.text for note in page]
            if cursor is None:
                break
        assert seen == texts[::-1]


async def test_a_note_is_written_once(database: Database, agent_id: UUID) -> None:
    note_id = uuid4()
    first = await notes.keep(database, agent_id, DEFAULT_TEAM, note_id, "first")
    assert await notes.keep(database, agent_id, DEFAULT_TEAM, note_id, "again") == first
    assert await notes.count_notes(database, agent_id) == 1


async def test_no_more_notes_are_kept_than_there_may_be(
    database: Database, agent_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MAX_NOTES", 3)
    kept = await asyncio.gather(
        *(notes.keep(database, agent_id, DEFAULT_TEAM, uuid4(), f"{n}") for n in range(8))
    )
    assert kept.count(NotKept.FULL) == 5
    assert await notes.count_notes(database, agent_id) == 3


async def test_no_note_is_kept_for_whom_there_is_not(database: Database, agent_id: UUID) -> None:
    foreign = await notes.keep(database, agent_id, uuid4(), uuid4(), "x")
    missing = await notes.keep(database, uuid4(), DEFAULT_TEAM, uuid4(), "x")
    await write(database, "UPDATE agents SET terminated_at = now()")
    ended = await notes.keep(database, agent_id, DEFAULT_TEAM, uuid4(), "x")
    assert (foreign, missing, ended) == (NotKept.GONE, NotKept.GONE, NotKept.TERMINATED)
