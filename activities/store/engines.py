"""SQLAlchemy's engine on a PostgreSQL: how it connects, and which connections it gives up."""

import time
from functools import partial
from math import inf

from sqlalchemy import Dialect, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from activities.store.database_url import engine_arguments

POOL_TIMEOUT_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 5.0
STATEMENT_TIMEOUT_MS = 30_000
# Those that were used last are used first, so that others are idle for long. What lies between us
# and the database may forget them by then without a word, and whoever used one would wait for ever.
LONGEST_IDLE_SECONDS = 60.0

IDLE_SINCE = "idle_since"


def engine_of(
    url: str,
    pool_size: int,
    max_overflow: int,
    ask_after_seconds: float,
    longest_idle_seconds: float,
) -> AsyncEngine:
    address, given = engine_arguments(url)
    engine = create_async_engine(
        address,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        pool_use_lifo=True,  # Few are in use then, and those have made their plans.
        hide_parameters=True,  # An error that nobody expected goes into logs and history as it is.
        connect_args={
            **given,
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "server_settings": {
                "application_name": "agentos",
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "jit": "off",  # Our queries are short: compiling them costs more than it saves.
            },
        },
    )
    check = partial(_check, engine.dialect, ask_after_seconds, longest_idle_seconds)
    event.listen(engine.sync_engine, "checkin", _note_idle)
    event.listen(engine.sync_engine, "checkout", check)
    return engine


def _note_idle(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[IDLE_SINCE] = time.monotonic()


def _check(
    dialect: Dialect,
    ask_after_seconds: float,
    longest_idle_seconds: float,
    connection: DBAPIConnection,
    record: ConnectionPoolEntry,
    _: object,
) -> None:
    """Give up the connections of a database that went away; the pool then makes new ones.

    One that hung up has closed its end, which is known here. Only one that vanished without a word
    must be asked, and that takes a round trip or three: not before each query.
    """
    idle = time.monotonic() - record.info.get(IDLE_SINCE, inf)
    try:
        driver = record.driver_connection
        if driver is None or driver.is_closed():
            raise InvalidatePoolError
        if idle > longest_idle_seconds:
            raise DisconnectionError  # This one alone.
        if idle > ask_after_seconds:
            dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error
