"""The search attributes by which Temporal lists our workflows: whether they are there, and making
them. A server may not let us: then whoever runs it makes them, and tasks run without."""

import asyncio
from datetime import timedelta

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from deploy import temporal_connection
from workflows import label_names

_KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
_PATIENCE = timedelta(seconds=10)
_CONNECT_SECONDS = 30.0
NAMES = ", ".join(label_names.ALL)


async def are_known(client: Client) -> bool:
    """Asked by a query, which whoever may list workflows may make.

    Raises:
        RPCError: Temporal cannot be asked.
    """
    query = " AND ".join(f"{name} = 'x'" for name in label_names.ALL)
    try:
        await client.count_workflows(query, rpc_timeout=_PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            return False
        raise
    return True


async def register(client: Client) -> None:
    """Make those that are missing. A repeat changes nothing.

    Raises:
        RPCError: Temporal does not let us, or cannot be asked.
    """
    if await are_known(client):
        return
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=client.namespace,
            search_attributes=dict.fromkeys(label_names.ALL, _KEYWORD),
        ),
        timeout=_PATIENCE,
    )


async def register_where_it_is() -> str:
    """In the Temporal that the environment names, if it does. Gives what is to be said of it;
    nothing where all is well.

    Raises:
        SettingsInvalid: the environment names none that could be reached.
    """
    connection = temporal_connection.connection_if_any()
    if connection is None:
        return ""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await register(await Client.connect(**connection))
    except RPCError as error:
        reason = f"{error.status.name}: {error.message}"
    except RuntimeError as error:  # The client raises a bare one where it cannot connect.
        reason = str(error)
    except TimeoutError:
        reason = "it does not answer"
    else:
        return ""
    return (
        f"Temporal did not take the search attributes {NAMES} ({reason[:300]}). Tasks run without "
        "them; the README says how to make them by hand."
    )
