"""Secrets of teams, in the database that the environment names, or in that of `agentos up`."""

import re
from collections.abc import Sequence
from pathlib import Path

from activities.aes_keys import id_of
from activities.secret_box import SecretBox
from activities.store import secrets
from activities.store.database import Database
from activities.store.secrets import SecretInfo, StoredSecret, place_of
from activities.tools.mcp.targets import Target
from deploy import settings, variables
from deploy.local.state import secrets_key_ids, secrets_keys
from deploy.team_database import team_database, team_named
from workflows.errors import AgentOSError, BadInput

MAX_VALUE_BYTES = 16 * 1024
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")


class SecretNameMalformed(BadInput):
    """{name!r} cannot be the name of a secret. Write capitals, digits and underlines, beginning
    with a capital: GITHUB_TOKEN."""


class SecretValueMalformed(BadInput):
    """The value cannot be a secret: {reason}."""


class SecretUnknown(AgentOSError):
    """Team {team!r} has no secret {name}{place}. `agentos secrets ls --team {team}` lists those it
    has."""


class SecretsKeyMissing(AgentOSError):
    """There is no key to encrypt the secret with. Set AGENTOS_SECRETS_KEY here, and for the API and
    the workers; make one with `openssl rand -base64 32`."""


class SecretsKeyOfNoStack(AgentOSError):
    """`agentos up` on {data_dir} could not open the secret: it was started with the key {theirs},
    and here the key is {ours}. Set AGENTOS_SECRETS_KEY to what it was when `agentos up` was
    started, or unset it if it was not set; or start that again with this key."""


class SecretsKeyOfNobody(AgentOSError):
    """All secrets in the database are encrypted with other keys ({theirs}) than the one here
    ({ours}). Set AGENTOS_SECRETS_KEY to what API and workers have. If that key is lost, remove
    the secrets with `agentos secrets rm`, and give API and workers this one."""


async def set_secret(data_dir: Path, team: str, name: str, target: str, value: str) -> None:
    """Keep a secret for a target, in place of the one before.

    Raises:
        SecretNameMalformed, SecretValueMalformed, BadInput: the target is none.
        SecretsKeyMissing, SecretsKeyOfNoStack, SecretsKeyOfNobody: nobody could open it.
        TeamUnknown, NoDatabase, DatabaseRefused
    """
    if not _NAME.fullmatch(name):
        raise SecretNameMalformed(name=name[:100])
    _check(value)
    place, keys = Target.parse(target).text, _keys(data_dir)
    async with team_database(data_dir) as database:
        team_id = await team_named(database, team)
        await _check_keys(data_dir, database, [id_of(key) for key in keys])
        sealed = SecretBox(keys).seal(value, place_of(team_id, name, place))
        await secrets.set_secret(database, StoredSecret(team_id, name, place, sealed))


async def listed(data_dir: Path, team: str) -> Sequence[SecretInfo]:
    """Raises ``TeamUnknown``."""
    async with team_database(data_dir) as database:
        return await secrets.list_secrets(database, await team_named(database, team))


async def remove(data_dir: Path, team: str, name: str, target: str | None) -> None:
    """Raises ``TeamUnknown``, or ``SecretUnknown`` when the team has no such secret."""
    place = None if target is None else Target.parse(target).text
    async with team_database(data_dir) as database:
        team_id = await team_named(database, team)
        if not await secrets.remove_secret(database, team_id, name, place):
            shown = f" for {place}" if place else ""
            raise SecretUnknown(team=team, name=name[:100], place=shown)


def _check(value: str) -> None:
    if not value:
        raise SecretValueMalformed(reason="it is empty")
    if len(value.encode("utf-8", "surrogatepass")) > MAX_VALUE_BYTES:
        raise SecretValueMalformed(reason=f"it has more than {MAX_VALUE_BYTES} bytes")
    # It becomes a header or a variable: a line break would begin another one.
    if not value.isprintable():
        raise SecretValueMalformed(reason="it has a line break or another control character")


def _keys(data_dir: Path) -> Sequence[bytes]:
    """Of the services that the environment names, or of the stack in the folder."""
    keys = settings.load_without_services().secrets_keys
    if not keys and not variables.names_services():
        keys = secrets_keys(data_dir)
    if not keys:
        raise SecretsKeyMissing
    return keys


async def _check_keys(data_dir: Path, database: Database, ours: Sequence[str]) -> None:
    """Those who are to open the secret have the key, as far as it is known which ones they have."""
    if known := () if variables.names_services() else secrets_key_ids(data_dir):
        _check_stack(data_dir, known, ours)
        return
    sealed = await secrets.sealing_keys(database)
    if sealed and not sealed.keys() & set(ours):
        raise SecretsKeyOfNobody(theirs=", ".join(sorted(sealed)), ours=", ".join(ours))


def _check_stack(data_dir: Path, known: Sequence[str], ours: Sequence[str]) -> None:
    if ours[0] not in known:  # With the first it would be sealed.
        folder, theirs = data_dir.absolute(), ", ".join(known)
        raise SecretsKeyOfNoStack(data_dir=folder, theirs=theirs, ours=ours[0])
