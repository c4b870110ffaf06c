"""Foreign errors, told in our own: which are worth another try, and what to do about the rest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from minio.error import S3Error
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from urllib3.exceptions import HTTPError

from workflows.errors import StoreRefused, TemporaryFailure

# Classes of SQLSTATE that pass by themselves: connection lost, out of resources, operator
# intervention (shutting down, starting up), serialisation failure and deadlock.
_PASSING_SQLSTATES = ("08", "53", "57", "40")

_PASSING_S3_STATUSES = (408, 429, 500, 502, 503, 504)


@asynccontextmanager
async def database_errors() -> AsyncIterator[None]:
    """Tell an unreachable database as ``TemporaryFailure``; let every other error through."""
    try:
        yield
    except (DBAPIError, InterfaceError) as error:
        if _is_passing(error):
            raise TemporaryFailure(service="PostgreSQL", reason=_first_line(error.orig)) from error
        raise
    except PoolTimeout as error:
        raise TemporaryFailure(service="PostgreSQL", reason="no free connection") from error
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
        raise TemporaryFailure(service="PostgreSQL", reason=_first_line(error)) from error


@asynccontextmanager
async def blob_errors() -> AsyncIterator[None]:
    """Tell an unreachable S3 store as ``TemporaryFailure``, a refusal as ``StoreRefused``."""
    try:
        yield
    except S3Error as error:
        status = getattr(error.response, "status", None)
        if status in _PASSING_S3_STATUSES:
            raise TemporaryFailure(service="The S3 store", reason=str(error.code)) from error
        raise StoreRefused(reason=f"{error.code} {error.message}") from error
    except (HTTPError, ConnectionError, TimeoutError) as error:
        raise TemporaryFailure(service="The S3 store", reason=type(error).__name__) from error


def _is_passing(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    # What asyncpg says of a connection that is being cut at this very moment.
    if isinstance(getattr(error.orig, "__cause__", None), asyncpg.InternalClientError):
        return True
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    return isinstance(error, InterfaceError) or (
        state is not None and str(state).startswith(_PASSING_SQLSTATES)
    )


def _first_line(error: BaseException | None) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]
