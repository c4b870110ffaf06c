"""Which secrets a team may give to which server."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from activities.secret_box import SecretBox
from activities.store import keys, secrets
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.secrets import StoredSecret, place_of
from activities.tools.mcp.grants import Grant
from activities.tools.mcp.secrets import TeamSecrets, resolve
from workflows.definitions.mcp_server import McpServer
from workflows.errors.mcp import McpSecretMissing

BOX = SecretBox([bytes(range(32))])
ENVIRONMENT = {"TOKEN": SecretStr("of-the-environment")}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    try:
        yield database
    finally:
        await database.close()


def server(url: str = "https://a.example/mcp", name: str = "TOKEN") -> McpServer:
    headers = {"Authorization": f"Bearer secret:{name}"}
    return McpServer(name="s", transport="http", url=url, headers=headers)


async def keep(database: Database, team_id: UUID, value: str, target: str) -> None:
    sealed = BOX.seal(value, place_of(team_id, "TOKEN", target))
    await secrets.set_secret(database, StoredSecret(team_id, "TOKEN", target, sealed))


async def given_to(found: TeamSecrets, team_id: UUID, to: McpServer) -> str | None:
    value = (await found(team_id, to)).get("TOKEN")
    return value and value.get_secret_value()


async def test_a_stored_secret_goes_from_its_team_to_its_target_only(database: Database) -> None:
    team = await keys.create_team(database, f"team-{uuid4()}")
    other = await keys.create_team(database, f"team-{uuid4()}")
    await keep(database, team, "open-sesame", "https://a.example:443")
    found = TeamSecrets(database, {}, box=BOX)
    assert await given_to(found, team, server()) == "open-sesame"
    assert await given_to(found, team, server("https://b.example/mcp")) is None
    assert await given_to(found, other, server()) is None
    assert await given_to(found, DEFAULT_TEAM, server()) is None


async def test_a_secret_that_is_set_again_has_the_new_value(database: Database) -> None:
    team = await keys.create_team(database, f"team-{uuid4()}")
    for value in ("first-value", "second-value"):
        await keep(database, team, value, "https://a.example:443")
    assert await given_to(TeamSecrets(database, {}, box=BOX), team, server()) == "second-value"
    assert len(await secrets.list_secrets(database, team)) == 1


async def test_a_row_that_was_moved_to_another_team_opens_nothing(database: Database) -> None:
    team = await keys.create_team(database, f"team-{uuid4()}")
    thief = await keys.create_team(database, f"team-{uuid4()}")
    target = "https://a.example:443"
    sealed = BOX.seal("open-sesame", place_of(team, "TOKEN", target))
    await secrets.set_secret(database, StoredSecret(thief, "TOKEN", target, sealed))
    assert await given_to(TeamSecrets(database, {}, box=BOX), thief, server()) is None


@pytest.mark.parametrize("box", [None, SecretBox([bytes(32)])])
async def test_without_its_key_a_stored_secret_is_as_good_as_none(
    database: Database, box: SecretBox | None
) -> None:
    team = await keys.create_team(database, f"team-{uuid4()}")
    await keep(database, team, "open-sesame", "https://a.example:443")
    assert await given_to(TeamSecrets(database, {}, box=box), team, server()) is None


async def test_a_secret_of_the_environment_goes_where_a_grant_says(database: Database) -> None:
    name = f"team-{uuid4()}"
    team = await keys.create_team(database, name)
    grants = [Grant.parse(f"{name}/TOKEN=https://a.example")]
    found = TeamSecrets(database, ENVIRONMENT, grants=grants, is_for_owner=True)
    assert await given_to(found, team, server()) == "of-the-environment"
    assert await given_to(found, team, server("https://b.example/mcp")) is None
    assert await given_to(found, DEFAULT_TEAM, server()) is None


async def test_without_a_grant_it_goes_only_where_nobody_but_the_owner_registers(
    database: Database,
) -> None:
    team = await keys.create_team(database, f"team-{uuid4()}")
    for is_for_owner, expected in ((True, "of-the-environment"), (False, None)):
        found = TeamSecrets(database, ENVIRONMENT, is_for_owner=is_for_owner)
        assert await given_to(found, DEFAULT_TEAM, server()) == expected
        assert await given_to(found, team, server()) is None


async def test_a_stored_secret_goes_before_one_of_the_environment(database: Database) -> None:
    name = f"team-{uuid4()}"
    team = await keys.create_team(database, name)
    await keep(database, team, "open-sesame", "https://a.example:443")
    grants = [Grant.parse(f"{name}/TOKEN=https://a.example")]
    found = TeamSecrets(database, ENVIRONMENT, box=BOX, grants=grants)
    assert await given_to(found, team, server()) == "open-sesame"


async def test_what_is_unknown_and_what_is_for_others_look_alike(database: Database) -> None:
    team = await keys.create_team(database, f"team-{uuid4()}")
    other = await keys.create_team(database, f"team-{uuid4()}")
    await keep(database, other, "open-sesame", "https://a.example:443")
    await keep(database, team, "open-sesame", "https://b.example:443")
    found = TeamSecrets(database, ENVIRONMENT, box=BOX)
    said = set()
    for asked in (server(), server("https://c.example/mcp")):
        with pytest.raises(McpSecretMissing) as caught:
            resolve(asked, asked.headers, await found(team, asked))
        said.add(str(caught.value))
    nothing = TeamSecrets(database, {})
    with pytest.raises(McpSecretMissing) as caught:
        resolve(server(), server().headers, await nothing(team, server()))
    assert said == {str(caught.value)}


async def test_a_server_that_names_no_secret_is_given_none(database: Database) -> None:
    found = TeamSecrets(database, ENVIRONMENT, is_for_owner=True)
    plain = McpServer(name="s", transport="http", url="https://a.example/mcp")
    assert await found(DEFAULT_TEAM, plain) == {}
