"""Whether the secrets of MCP servers and webhooks can be opened by those who use them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from activities.store.database import Database
from activities.store.migrations.check import is_current
from activities.store.secrets import sealing_keys
from deploy.local.machine import Finding
from workflows.errors import AgentOSError

NAME = "secrets"
_REMEDY = (
    "Give API, workers and this command the same keys in AGENTOS_SECRETS_KEY, and restart what "
    "runs. Secrets whose key is lost must be set again: `agentos secrets rm`, then `set`; "
    "`agentos webhooks delete`, then `create`; `agentos webhooks secret`."
)


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """The ids of keys: those that the environment names ``here``, and those that ``agentos up``
    was started with; the first of each seals. None where it does not run: then it will have those
    ``of_next``, if the environment names none."""

    here: Sequence[str] = ()
    of_stack: Sequence[str] | None = None
    of_next: Sequence[str] = ()

    @property
    def opening(self) -> Sequence[str]:
        return self.here if self.of_stack is None else self.of_stack


async def check_secrets(keys: SecretKeys, database_url: str | None) -> Finding:
    """Compare the keys with those that the secrets in the database were sealed with."""
    if database_url is None:
        return finding(keys, None)
    try:
        return finding(keys, await _sealed(database_url))
    except AgentOSError:
        return finding(keys, None)  # The check of the database itself says why.


def finding(keys: SecretKeys, sealed: Mapping[str, int] | None) -> Finding:
    """``sealed`` says how many secrets there are by the id of their key, if that is known."""
    told = _told(keys)
    lost = {key: count for key, count in (sealed or {}).items() if key not in keys.opening}
    many = ", ".join(f"{count} with the key {key}" for key, count in sorted(lost.items()))
    if lost:
        told += f"; some cannot be opened: {many}"
    else:
        told += "" if sealed is None else f"; {sum(sealed.values())} are set"
    is_other = bool(keys.of_stack and keys.here) and keys.here[0] not in (keys.of_stack or ())
    return Finding(NAME, not lost and not is_other, told, _REMEDY)


def _told(keys: SecretKeys) -> str:
    here = f"AGENTOS_SECRETS_KEY is the key {keys.here[0]}" if keys.here else ""
    if keys.of_stack:
        stack = f"`agentos up` has the key {', '.join(keys.of_stack)}"
        return f"{stack}, and {here}" if here and keys.here[0] not in keys.of_stack else stack
    if not here and keys.of_next:
        return f"`agentos up` will have the key {keys.of_next[0]}, of its folder"
    return here or "no key is set"


async def _sealed(url: str) -> Mapping[str, int]:
    if not await is_current(url):
        return {}
    database = Database(url)
    try:
        return await sealing_keys(database)
    finally:
        await database.close()
