"""Objects of the S3 store as inputs: one that does not exist is a fault of the input."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from minio.error import S3Error

from activities.early_end import closing
from workflows.definitions.inputs import InputRef
from workflows.errors.inputs import InputNotFound, InputRefused
from workflows.errors.services import StoreRefused

_MISSING = ("NoSuchKey", "NoSuchObject", "NoSuchBucket")
_FORBIDDEN = ("AccessDenied",)


@asynccontextmanager
async def open_object(
    ref: InputRef, chunks: AsyncIterator[bytes]
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Read an object to its end or less; then its connection is given back.

    Raises:
        InputNotFound: there is no such object.
        InputRefused: the keys of AgentOS may not read it.
    """
    try:
        async with closing(chunks) as pieces:
            yield pieces
    except StoreRefused as error:
        code = error.__cause__.code if isinstance(error.__cause__, S3Error) else None
        if code in _MISSING:
            raise InputNotFound(ref=ref, reason="the S3 store has no such object") from error
        if code in _FORBIDDEN:
            raise InputRefused(ref=ref, reason="the S3 store denies access to it") from error
        raise
