"""``agentos keys`` where the environment names a database, and where `agentos up` runs one."""

from pathlib import Path
from uuid import uuid4

import pytest

from activities.store import keys, limits, migrations, usage
from activities.store.audit import LOCAL_USER
from activities.store.database import Database
from activities.store.reading.audit import AuditFilter, list_entries
from deploy.local.services import Services
from tests.integration.cli_runs import agentos


@pytest.fixture(autouse=True)
def no_services_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AGENTOS_DATABASE_URL", "AGENTOS_S3_ENDPOINT", "AGENTOS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


async def test_a_key_is_made_in_the_database_of_a_stack_that_runs(
    infrastructure: Services,
) -> None:
    await migrations.migrate(infrastructure.database_url)
    team, folder = f"team-{uuid4()}", str(infrastructure.data_dir)
    made = await agentos("", "keys", "create", "laptop", "--team", team, "--data-dir", folder)
    assert (made.code, made.stdout[:3]) == (0, "ak_"), made.stderr
    database = Database(infrastructure.database_url)
    try:
        team_id = await keys.find_team(database, team)
        assert team_id is not None
        assert [key.name for key in await keys.list_keys(database, team_id)] == ["laptop"]
    finally:
        await database.close()


async def test_a_quota_is_set_in_the_database_of_a_stack_that_runs(
    infrastructure: Services,
) -> None:
    await migrations.migrate(infrastructure.database_url)
    team, where = f"team-{uuid4()}", ("--data-dir", str(infrastructure.data_dir))
    await agentos("", "keys", "create", "laptop", "--team", team, *where)
    done = await agentos("", "keys", "quota", "5000", "--team", team, *where)
    assert done.code == 0, done.stderr
    database = Database(infrastructure.database_url)
    try:
        team_id = await keys.find_team(database, team)
        assert team_id is not None
        assert await usage.daily_tokens(database, team_id) == 5_000
    finally:
        await database.close()


async def test_keys_and_quotas_need_no_store_of_files(database_url: str) -> None:
    for words in (("create", "laptop"), ("ls",), ("quota", "5000"), ("limit", "2"), ("limit",)):
        done = await agentos("", "keys", *words, AGENTOS_DATABASE_URL=database_url)
        assert done.code == 0, done.stderr


async def test_a_limit_and_a_weight_are_set_in_the_database(
    infrastructure: Services,
) -> None:
    await migrations.migrate(infrastructure.database_url)
    team, where = f"team-{uuid4()}", ("--data-dir", str(infrastructure.data_dir))
    await agentos("", "keys", "create", "laptop", "--team", team, *where)
    for words, said in (
        (("limit", "3"), f"limit of team {team}: 3 at once\n"),
        (("limit", "0"), f"limit of team {team}: no limit\n"),
        (("limit", "3"), f"limit of team {team}: 3 at once\n"),
        (("weight",), f"weight of team {team}: 1\n"),
        (("weight", "2.5"), f"weight of team {team}: 2.5\n"),
    ):
        done = await agentos("", "keys", *words, "--team", team, *where)
        assert (done.code, done.stdout) == (0, said), done.stderr
    database = Database(infrastructure.database_url)
    try:
        team_id = await keys.find_team(database, team)
        teams, _ = await limits.limits_set(database)
        assert [(each.max_running, each.weight) for each in teams if each.team_id == team_id] == [
            (3, 2.5)
        ]
    finally:
        await database.close()


@pytest.mark.parametrize("words", [("limit", "-1"), ("weight", "0"), ("weight", "nan")])
async def test_a_limit_or_weight_that_makes_no_sense_is_wrong_usage(words: tuple[str, ...]) -> None:
    assert (await agentos("", "keys", *words)).code == 2


async def test_without_a_database_the_error_says_where_one_may_be_found(tmp_path: Path) -> None:
    done = await agentos("", "keys", "ls", "--data-dir", str(tmp_path))
    assert done.code == 1
    assert str(tmp_path) in done.stderr.replace("\n", "")
    assert "agentos up" in done.stderr


@pytest.mark.parametrize("command", [("migrate",), ("keys", "ls")])
async def test_a_database_that_does_not_let_us_in_is_named_without_a_traceback(
    infrastructure: Services, command: tuple[str, ...]
) -> None:
    nowhere = infrastructure.database_url.replace("/agentos?", "/nowhere?")
    done = await agentos("", *command, AGENTOS_DATABASE_URL=nowhere)
    assert done.code == 1
    assert "nowhere" in done.stderr
    assert "AGENTOS_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert "sqlalche.me" not in done.stderr


async def test_keys_made_and_revoked_and_quotas_are_written_down_as_the_local_users(
    database: Database, database_url: str
) -> None:
    team = f"team-{uuid4()}"
    for words in (("create", "laptop"), ("quota", "5000")):
        done = await agentos("", "keys", *words, "--team", team, AGENTOS_DATABASE_URL=database_url)
        assert done.code == 0, done.stderr
    team_id = await keys.find_team(database, team)
    assert team_id is not None
    [key] = await keys.list_keys(database, team_id)
    for code in (0, 1):  # The second time there is no such key in use, and nothing is done.
        done = await agentos(
            "", "keys", "revoke", str(key.id), "--team", team, AGENTOS_DATABASE_URL=database_url
        )
        assert done.code == code, done.stderr
    found, _ = await list_entries(database, team_id, AuditFilter(actor=LOCAL_USER), None, 10)
    assert [(entry.action, entry.target) for entry in found] == [
        ("key.revoked", str(key.id)),
        ("team.quota_set", str(team_id)),
        ("key.created", str(key.id)),
    ]
    assert found[-1].details == {"name": "laptop", "prefix": key.prefix}
