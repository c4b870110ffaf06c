"""Checks of services that are not of the embedded stack."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from temporalio.service import RPCError

from activities.store.blobs import Blobs
from activities.store.migrations.check import is_current
from deploy.doctor import listing
from deploy.doctor.temporal_words import Connect, connected
from deploy.local.machine import Finding
from workflows.contracts import TASK_QUEUE
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.errors.services import DatabaseRefused

_NOT_ASKED = "not asked, as its settings are wrong"
_CORRECT = "Correct them, and run this again."


@dataclass(frozen=True, slots=True)
class Remote:
    """What the environment names. None stands for a service whose settings are wrong."""

    database_url: str | None
    blobs: Blobs | None
    connect: Connect
    """One attempt to reach Temporal, that raises what the SDK raises."""
    task_queue: str = TASK_QUEUE


def checks(services: Remote) -> Mapping[str, Callable[[], Awaitable[Finding]]]:
    return {
        "database": lambda: _database(services.database_url),
        "s3": lambda: _s3(services.blobs),
        "temporal": lambda: _temporal(services.connect),
        listing.NAME: lambda: listing.check_listing(services.connect),
    }


async def _database(url: str | None) -> Finding:
    remedy = "Check AGENTOS_DATABASE_URL, and that the server allows this user and address."
    if url is None:
        return Finding("database", False, _NOT_ASKED, _CORRECT)
    try:
        current = await is_current(url)
    except DatabaseRefused as error:
        return Finding("database", False, str(error.fields["reason"]), remedy)
    except TemporaryFailure as error:
        return Finding("database", False, _away(error), remedy)
    state = "up to date" if current else "not up to date"
    detail = f"reachable; its tables are {state}"
    return Finding("database", current, detail, "Run `agentos migrate`.")


async def _s3(blobs: Blobs | None) -> Finding:
    if blobs is None:
        return Finding("s3", False, _NOT_ASKED, _CORRECT)
    remedy = f"Create the bucket {blobs.bucket}, or check AGENTOS_S3_BUCKET."
    where = "Check AGENTOS_S3_ENDPOINT, AGENTOS_S3_REGION and the two keys."
    try:
        found = await blobs.check()
    except TemporaryFailure as error:
        return Finding("s3", False, _away(error), where)
    except AgentOSError as error:
        return Finding("s3", False, str(error), where)
    detail = f"reachable; bucket {blobs.bucket}: {'found' if found else 'missing'}"
    return Finding("s3", found, detail, remedy)


async def _temporal(connect: Connect) -> Finding:
    remedy = (
        "Check TEMPORAL_ADDRESS (HOST:PORT, without a scheme), TEMPORAL_NAMESPACE and the TLS "
        "variables."
    )
    try:
        client = await connected(connect)
        await client.count_workflows("WorkflowId = 'agentos-doctor'")
    except TemporaryFailure as error:
        return Finding("temporal", False, _away(error), remedy)
    except RPCError as error:
        return Finding("temporal", False, f"it refused: {error.message}", remedy)
    except AgentOSError as error:  # What the environment says of it.
        return Finding("temporal", False, str(error.fields["reason"]), remedy)
    return Finding("temporal", True, f"reachable; namespace {client.namespace}")


def _away(error: TemporaryFailure) -> str:
    """Without the advice to wait: it may be the settings that are wrong."""
    reason = error.fields.get("reason")
    return str(error) if reason is None else f"could not be reached: {reason}"
