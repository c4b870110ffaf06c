"""What is started in Temporal is given beside its work: how it looks there, and search attributes
where Temporal knows them.

A namespace that does not know one refuses the whole start. It is asked again without any then, and
nothing is given any for a while: a task must never wait for how it is listed.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import TypeVar

import structlog
from temporalio.common import TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from workflows.labels import Labels

# Somebody may have registered them meanwhile.
_ASK_AGAIN_SECONDS = 60.0

Result = TypeVar("Result")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Appearance:
    """Of one workflow. ``page`` is where our web page is, for what the workflow starts itself."""

    title: str
    details: str = ""
    labels: Labels | None = None
    page: str = ""


class Labelling:
    """Of one connection to Temporal."""

    def __init__(self) -> None:
        self._refused_at = -inf

    async def start(
        self,
        labels: Labels | None,
        start: Callable[[TypedSearchAttributes | None], Awaitable[Result]],
    ) -> Result:
        """What ``start`` gives, with search attributes if Temporal takes them."""
        is_refused = time.monotonic() - self._refused_at < _ASK_AGAIN_SECONDS
        if labels is None or is_refused:
            return await start(None)
        try:
            return await start(labels.attributes)
        except RPCError as error:
            if not _is_about_labels(error):
                raise
            log.warning("temporal.search_attributes_unknown", reason=error.message)
            self._refused_at = time.monotonic()
        return await start(None)


def _is_about_labels(error: RPCError) -> bool:
    """``Namespace default has no mapping defined for search attribute AgentOSName``, or, where one
    is registered as another type, ``invalid value for search attribute ...``."""
    message = error.message.lower()
    return error.status is RPCStatusCode.INVALID_ARGUMENT and "search attribute" in message
