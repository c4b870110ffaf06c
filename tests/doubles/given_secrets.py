"""Secrets that any team may give to any server."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import SecretStr

from activities.tools.mcp.secrets import SecretsOf, names_of
from workflows.definitions.mcp_server import McpServer


def given_to_all(**values: str) -> SecretsOf:
    secrets = {name: SecretStr(value) for name, value in values.items()}

    async def secrets_of(team_id: UUID, server: McpServer) -> Mapping[str, SecretStr]:
        return {name: secrets[name] for name in names_of(server) & secrets.keys()}

    return secrets_of
