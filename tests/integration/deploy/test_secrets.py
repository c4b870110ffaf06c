"""``agentos secrets`` where the environment names a database, and where `agentos up` runs one."""

from pathlib import Path
from uuid import uuid4

import pytest

from activities.aes_keys import id_of
from activities.secret_box import SecretBox
from activities.store import migrations
from activities.store.audit import Actor
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.secrets import sealing_keys
from activities.store.webhooks import NewWebhook, create_webhook, set_callback_secret
from activities.tools.mcp.secrets import TeamSecrets
from deploy.local.services import Services
from deploy.local.state import secrets_key_ids, secrets_keys
from tests.integration.cli_runs import Run, agentos
from workflows.definitions.mcp_server import McpServer
from workflows.definitions.webhook import Notice

KEY = "07" * 32


@pytest.fixture(autouse=True)
def no_services_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AGENTOS_DATABASE_URL", "AGENTOS_S3_ENDPOINT", "AGENTOS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


async def test_a_secret_is_set_on_a_stack_that_runs_and_given_to_its_server(
    infrastructure: Services, tmp_path: Path
) -> None:
    await migrations.migrate(infrastructure.database_url)
    folder, name = str(infrastructure.data_dir), f"T{uuid4().hex.upper()}"
    where = ("--for", "https://a.example", "--data-dir", folder)
    (tmp_path / "value").write_text("open-sesame\n")
    done = await agentos("", "secrets", "set", name, *where, stdin=tmp_path / "value")
    assert done.code == 0, done.stderr
    listed = await agentos("", "secrets", "ls", "--data-dir", folder)
    assert name in listed.stdout
    assert "https://a.example:443" in listed.stdout
    assert "sesame" not in listed.stdout
    server = McpServer(
        name="s",
        transport="http",
        url="https://a.example/mcp",
        headers={"Authorization": f"Bearer secret:{name}"},
    )
    database = Database(infrastructure.database_url)
    try:
        box = SecretBox(secrets_keys(infrastructure.data_dir))
        found = await TeamSecrets(database, {}, box=box)(DEFAULT_TEAM, server)
        assert found[name].get_secret_value() == "open-sesame"
    finally:
        await database.close()
    removed = await agentos("", "secrets", "rm", name, "--data-dir", folder)
    assert removed.code == 0, removed.stderr
    assert name not in (await agentos("", "secrets", "ls", "--data-dir", folder)).stdout


@pytest.mark.parametrize(
    ("words", "value", "reason"),
    [
        (("set", "token", "--for", "https://a.example"), "x", "Write capitals"),
        (("set", "TOKEN", "--for", "https://a.example/path"), "x", "not an origin"),
        (("set", "TOKEN", "--for", "*"), "x", "name the program"),
        (("set", "TOKEN", "--for", "https://a.example"), "", "it is empty"),
        (("set", "TOKEN", "--for", "https://a.example"), "a\nb", "line break"),
        (("set", "TOKEN", "--for", "https://a.example"), "x" * 20_000, "more than 16384 bytes"),
        (("set", "TOKEN", "--for", "server", "--team", "nobody"), "x", "no team 'nobody'"),
        (("rm", "TOKEN"), "", "has no secret TOKEN"),
        (("rm", "TOKEN", "--for", "https://a.example"), "", "no secret TOKEN for https://a.exam"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(
    database_url: str, tmp_path: Path, words: tuple[str, ...], value: str, reason: str
) -> None:
    (tmp_path / "value").write_text(value)
    environment = {"AGENTOS_DATABASE_URL": database_url, "AGENTOS_SECRETS_KEY": KEY}
    done = await agentos("", "secrets", *words, stdin=tmp_path / "value", **environment)
    assert done.code != 0
    assert reason in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


async def test_without_a_key_nothing_is_kept(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "value").write_text("open-sesame")
    words = ("secrets", "set", "TOKEN", "--for", "https://a.example")
    environment = {"AGENTOS_DATABASE_URL": database_url}
    done = await agentos("", *words, stdin=tmp_path / "value", **environment)
    assert done.code == 1
    assert "openssl rand -base64 32" in done.stderr.replace("\n", " ")


OTHER = "08" * 32


async def set_with(key: str, tmp_path: Path, *words: str, **environment: str) -> Run:
    """What becomes of a secret that is set where AGENTOS_SECRETS_KEY is this key."""
    (tmp_path / "value").write_text("open-sesame")
    command = ("secrets", "set", f"T{uuid4().hex.upper()}", "--for", "https://a.example", *words)
    own = {"AGENTOS_SECRETS_KEY": key, **environment}
    return await agentos("", *command, stdin=tmp_path / "value", **own)


async def test_a_secret_that_the_stack_could_not_open_is_refused_with_what_to_do(
    infrastructure: Services, tmp_path: Path
) -> None:
    await migrations.migrate(infrastructure.database_url)
    where = ("--data-dir", str(infrastructure.data_dir))
    refused = await set_with(OTHER, tmp_path, *where)
    said = " ".join(refused.stderr.split())
    [theirs] = secrets_key_ids(infrastructure.data_dir)
    assert refused.code == 1
    assert f"started with the key {theirs}, and here the key is {id_of(bytes([8]) * 32)}" in said
    assert "Set AGENTOS_SECRETS_KEY to what it was" in said
    own = await set_with(infrastructure.secrets_key, tmp_path, *where)
    assert own.code == 0, own.stderr


async def test_a_secret_is_not_sealed_with_another_key_than_all_that_are_there(
    database_url: str, tmp_path: Path
) -> None:
    services = {"AGENTOS_DATABASE_URL": database_url}
    assert (await set_with(KEY, tmp_path, **services)).code == 0
    refused = await set_with(OTHER, tmp_path, **services)
    said = " ".join(refused.stderr.split())
    assert refused.code == 1
    assert f"other keys ({id_of(bytes([7]) * 32)})" in said
    assert "Set AGENTOS_SECRETS_KEY to what API and workers have" in said
    replaced = await set_with(f"{OTHER},{KEY}", tmp_path, **services)
    assert replaced.code == 0, replaced.stderr
    database = Database(database_url)
    try:
        ids = [id_of(bytes([number]) * 32) for number in (7, 8)]
        assert await sealing_keys(database) == dict.fromkeys(ids, 1)
    finally:
        await database.close()


async def test_secrets_of_webhooks_are_counted_with_the_keys_that_they_were_sealed_with(
    database_url: str,
) -> None:
    database, box, actor = Database(database_url), SecretBox([b"k" * 32]), Actor(DEFAULT_TEAM, "x")
    new = NewWebhook(uuid4(), "https://a/", "https://a:443", tuple(Notice), box.seal("x", "y"))
    await create_webhook(database, actor, new)
    await set_callback_secret(database, actor, box.seal("x", "z"))
    assert await sealing_keys(database) == {id_of(b"k" * 32): 2}
    await database.close()
