"""Whether a database is up to date, for whoever asks what is wrong with it."""

import asyncpg
from sqlalchemy.exc import EmulatedDBAPIException, SQLAlchemyError

from activities.store.database import Database
from workflows.errors.services import DatabaseRefused


async def is_current(url: str) -> bool:
    """Whether no migration is missing.

    Raises:
        TemporaryFailure: the database cannot be reached.
        DatabaseRefused: its URL is none, or it does not let us in.
    """
    try:
        database = Database(url)
        try:
            return await database.is_current()
        finally:
            await database.close()
    except (SQLAlchemyError, EmulatedDBAPIException, asyncpg.PostgresError) as error:
        raise DatabaseRefused(reason=str(error).splitlines()[0]) from error
