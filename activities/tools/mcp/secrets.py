"""Secrets given by name: those that a team may give to a server, filled in when it is connected."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import structlog
from pydantic import SecretStr

from activities.secret_box import SecretBox
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.secrets import StoredSecret, secrets_of_team
from activities.tools.mcp.grants import Grant
from activities.tools.mcp.targets import Target
from workflows.definitions.credentials import NAMED_SECRET, names_in
from workflows.definitions.mcp_server import McpServer
from workflows.errors.mcp import McpSecretMissing

SecretsOf = Callable[[UUID, McpServer], Awaitable[Mapping[str, SecretStr]]]

log = structlog.get_logger(__name__)


async def no_secrets(team_id: UUID, server: McpServer) -> Mapping[str, SecretStr]:
    """For a pool whose servers are given none."""
    return {}


class TeamSecrets:
    """Those in the database, and those in the ``environment``, each for whom it is meant.

    A secret of the environment goes where ``grants`` say. Where nobody but the user who runs
    AgentOS can register a server (``is_for_owner``), one without a grant goes to any that the
    default team has registered.
    """

    def __init__(
        self,
        database: Database,
        environment: Mapping[str, SecretStr],
        *,
        box: SecretBox | None = None,
        grants: Sequence[Grant] = (),
        is_for_owner: bool = False,
    ) -> None:
        self._database = database
        self._environment = environment
        self._box = box
        self._grants = grants
        self._is_for_owner = is_for_owner

    async def __call__(self, team_id: UUID, server: McpServer) -> Mapping[str, SecretStr]:
        """Those that the server names and the team may give to it. When it names any, that costs
        a query, whatever there is."""
        named = names_of(server)
        if not named:
            return {}
        team, stored = await secrets_of_team(self._database, team_id)
        found = {**self._of_environment(team_id, team, server), **self._opened(stored, server)}
        return {name: found[name] for name in named & found.keys()}

    def _of_environment(
        self, team_id: UUID, team: str | None, server: McpServer
    ) -> Mapping[str, SecretStr]:
        granted = {grant.name for grant in self._grants}
        given = {
            grant.name for grant in self._grants if grant.team == team and grant.target.fits(server)
        }
        if self._is_for_owner and team_id == DEFAULT_TEAM:
            given |= self._environment.keys() - granted
        return {name: value for name, value in self._environment.items() if name in given}

    def _opened(self, stored: Sequence[StoredSecret], server: McpServer) -> Mapping[str, SecretStr]:
        found: dict[str, SecretStr] = {}
        for secret in stored:
            if not Target(secret.target).fits(server):
                continue
            value = self._box.open(secret.sealed, secret.place) if self._box else None
            if value is None:
                log.warning("secret.unreadable", name=secret.name, server=server.name)
            else:
                found[secret.name] = SecretStr(value)
        return found


def names_of(server: McpServer) -> set[str]:
    """The secrets that a server's configuration names."""
    return {name for value in (server.env | server.headers).values() for name in names_in(value)}


def resolve(
    server: McpServer, values: Mapping[str, str], secrets: Mapping[str, SecretStr]
) -> dict[str, str]:
    """The values with their secrets filled in. Raises ``McpSecretMissing``."""

    def value_of(match: re.Match[str]) -> str:
        secret = secrets.get(match[1])
        if secret is None:
            # The same for one that there is not, one of another team and one for another server.
            raise McpSecretMissing(server=server.name, secret=match[1])
        return secret.get_secret_value()

    return {name: NAMED_SECRET.sub(value_of, value) for name, value in values.items()}
