"""``agentos retention``: what teams keep for another time than the settings say."""

import json
from uuid import uuid4

import pytest

from activities.store import migrations
from activities.store.database import Database
from activities.store.keys import find_team
from activities.store.reading.audit import AuditFilter, list_entries
from deploy.local.services import Services
from deploy.retention.commands import DEFAULT, RetentionMalformed, parse
from tests.integration.cli_runs import agentos


async def test_a_team_keeps_things_as_long_as_it_has_set_until_that_is_taken_back(
    infrastructure: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AGENTOS_DATABASE_URL", "AGENTOS_S3_ENDPOINT", "AGENTOS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    await migrations.migrate(infrastructure.database_url)
    team = f"team-{uuid4()}"
    where = ("--team", team, "--data-dir", str(infrastructure.data_dir))
    await agentos("", "keys", "create", "laptop", *where)
    for words, own in (
        (("set", "events=10", "logs=forever"), {"events": 10, "logs": None}),
        (("set", "events=default"), {"logs": None}),
        (("show",), {"logs": None}),
    ):
        done = await agentos("", "retention", *words, *where, "-o", "json")
        assert done.code == 0, done.stderr
        assert json.loads(done.stdout) == {"team": team, "own": own}
    database = Database(infrastructure.database_url)
    try:
        team_id = await find_team(database, team)
        assert team_id is not None
        wanted = AuditFilter(actions=["team.retention_set"])
        entries, _ = await list_entries(database, team_id, wanted, None, 10)
    finally:
        await database.close()
    assert {entry.target for entry in entries} == {str(team_id)}
    assert [entry.details for entry in entries] == [
        {"events": "as in the settings"},
        {"events": 10, "logs": "forever"},
    ]


@pytest.mark.parametrize(
    "text", ["", "events", "events=", "events=0", "events=-1", "events=36501", "dreams=3", "=3"]
)
def test_words_that_do_not_say_how_long_are_told(text: str) -> None:
    with pytest.raises(RetentionMalformed, match="NAME=DAYS"):
        parse(text)


def test_days_for_ever_and_default_are_told_apart() -> None:
    found = [parse(text) for text in ("events=1", "logs=forever", "files=default")]
    assert found == [("events", 1), ("logs", None), ("files", DEFAULT)]
