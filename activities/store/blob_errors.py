"""Errors of the S3 store as ``AgentOSError``: which to retry, which to report."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import urllib3
from minio.error import InvalidResponseError, S3Error, ServerError
from urllib3.exceptions import HTTPError

from activities.store.errors import first_line, system_words
from workflows.errors import DiskFull, TemporaryFailure
from workflows.errors.services import StoreRefused

_S3_FULL = 507
_PASSING_S3_STATUSES = (408, 429, 500, 502, 503, 504)


@asynccontextmanager
async def blob_errors() -> AsyncIterator[None]:
    """Raise ``TemporaryFailure`` for an unreachable S3 store, ``StoreRefused`` for a refusal."""
    try:
        yield
    except S3Error as error:
        status = getattr(error.response, "status", None)
        if status == _S3_FULL:
            raise DiskFull(service="the S3 store", reason=str(error.message)) from error
        if status in _PASSING_S3_STATUSES:
            reason = f"{error.code} {error.message or ''}".strip()[:300]
            raise TemporaryFailure(service="The S3 store", reason=reason) from error
        raise StoreRefused(reason=f"{error.code} {error.message}") from error
    except (InvalidResponseError, ServerError) as error:  # A proxy answered, say.
        raise TemporaryFailure(service="The S3 store", reason=first_line(error)) from error
    except (HTTPError, ConnectionError, TimeoutError) as error:
        raise TemporaryFailure(service="The S3 store", reason=_http_reason(error)) from error


def _http_reason(error: BaseException) -> str:
    """What the system said, which urllib3 wraps in retries, addresses of objects and paths."""
    while isinstance(reason := getattr(error, "reason", None), BaseException):
        error = reason
    within = (error.__cause__, *error.args)
    cause = next((each for each in within if isinstance(each, BaseException)), error)
    if isinstance(cause, OSError) and cause.strerror:
        return system_words(cause)
    if isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    return first_line(cause)
