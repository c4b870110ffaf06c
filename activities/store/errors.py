"""Errors of the database as ``AgentOSError``: which to retry, which to report."""

import errno
import os
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import ArgumentError, DBAPIError, EmulatedDBAPIException
from sqlalchemy.exc import TimeoutError as PoolTimeout

from activities.store.housekeeping.errors import BlobGone
from workflows.errors import DiskFull, TemporaryFailure
from workflows.errors.services import DatabaseRefused

# Classes of SQLSTATE that are temporary: connection lost, out of resources, operator
# intervention (shutting down, starting up), serialisation failure and deadlock; and a lock that
# was not got in time.
_PASSING_SQLSTATES = ("08", "53", "57", "40", "55P03")

# Classes of SQLSTATE for who is not let in: wrong password, no such database, no permission.
_REFUSING_SQLSTATES = ("28", "3D", "42501")
_DISK_FULL = "53100"
_BLOB_GONE = "AG001"  # of the trigger that guards blobs; the message is the SHA-256

# What the driver says of such a connection.
_CUT = ("is closed", "is closing", "in progress", "is cancelling")

_DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

_TLS_NOISE = re.compile(r"^\[[A-Z0-9:_ ]+\] | \(_ssl\.c:\d+\)$")
_ERRNO = re.compile(r"\[Errno (\d+)\]")
_WORDS = {
    errno.ECONNREFUSED: "nothing listens there",
    errno.ENOENT: "nothing listens there",  # at a Unix socket
    errno.ETIMEDOUT: "no answer in time",
}


@asynccontextmanager
async def database_errors() -> AsyncIterator[None]:
    """Raise ``TemporaryFailure`` for an unreachable database, and ``BlobGone`` for a row whose blob
    was removed; let every other error through."""
    try:
        yield
    except PoolTimeout as error:
        raise TemporaryFailure(service="PostgreSQL", reason="no free connection") from error
    except (OSError, DBAPIError, EmulatedDBAPIException, *_DRIVER_ERRORS) as error:
        if getattr(driver_error(error), "sqlstate", None) == _BLOB_GONE:
            raise BlobGone(sha256=first_line(driver_error(error))) from error
        if not _is_passing(error):
            raise
        reason = _database_reason(driver_error(error))
        if getattr(driver_error(error), "sqlstate", None) == _DISK_FULL:
            raise DiskFull(service="PostgreSQL", reason=reason) from error
        raise TemporaryFailure(service="PostgreSQL", reason=reason) from error


@asynccontextmanager
async def database_refusals() -> AsyncIterator[None]:
    """Raise ``DatabaseRefused`` where the database does not let us in.

    For commands, which end with it. In a task it stays an error that is retried: who changes a
    password does not do so everywhere in the same moment.
    """
    try:
        yield
    except ArgumentError as error:
        # It quotes the URL, which may hold a password.
        raise DatabaseRefused(reason="its URL cannot be read") from error
    except (DBAPIError, EmulatedDBAPIException, asyncpg.PostgresError) as error:
        origin = driver_error(error)
        if not str(getattr(origin, "sqlstate", "")).startswith(_REFUSING_SQLSTATES):
            raise
        raise DatabaseRefused(reason=first_line(origin)) from error


def _database_reason(error: BaseException) -> str:
    """In words where nothing answers: asyncio says ``[Errno 111] Connect call failed``, once for
    each address of the host."""
    if not isinstance(error, OSError):
        return first_line(error)
    if isinstance(error, ssl.SSLError):  # Its numbers are those of OpenSSL.
        return system_words(error)
    number = error.errno
    if number is None and (said := _ERRNO.search(str(error))):
        number = int(said[1])
    if number is None or number < 0:  # A name that nobody knows has words of its own.
        return error.strerror or first_line(error)
    return _WORDS.get(number) or os.strerror(number)


def system_words(error: OSError) -> str:
    """What the system said, without the place in its source where OpenSSL noticed."""
    return _TLS_NOISE.sub("", error.strerror or first_line(error))[:300]


def driver_error(error: BaseException) -> BaseException:
    """The error of asyncpg, or of the system, that SQLAlchemy has wrapped."""
    while isinstance(error, DBAPIError | EmulatedDBAPIException) and error.orig is not None:
        error = error.orig
    return error


def first_line(error: BaseException) -> str:
    """What an error says, cut to what a message may quote."""
    return (str(error) or type(error).__name__).splitlines()[0][:300]


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    origin = driver_error(error)
    if isinstance(origin, asyncpg.PostgresError):
        return str(origin.sqlstate).startswith(_PASSING_SQLSTATES)
    if isinstance(origin, asyncpg.InterfaceError):
        return _is_cut(origin)
    return isinstance(origin, OSError | asyncpg.InternalClientError)


def _is_cut(error: asyncpg.InterfaceError) -> bool:
    """Whether a connection is closed, or is being cut at this very moment. All else is wrong with
    what the driver was given, and will be the next time; of its kinds, some quote values."""
    return type(error) is asyncpg.InterfaceError and any(word in str(error) for word in _CUT)
