"""What is limited for each team is counted and added by one at a time."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_LOCK = text("SELECT id FROM teams WHERE id = :team_id FOR NO KEY UPDATE")


async def lock_team(connection: AsyncConnection, team_id: UUID) -> None:
    """Until the transaction ends, nobody else adds to what the team has. Others who do wait."""
    await connection.execute(_LOCK, {"team_id": team_id})
