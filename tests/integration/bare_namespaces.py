"""Namespaces of the Temporal of the tests that know none of our search attributes."""

import asyncio
from uuid import uuid4

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

WAIT_SECONDS = 60.0


async def bare_namespace(client: Client) -> Client:
    """A client of a new namespace of the same server."""
    namespace = f"bare-{uuid4().hex}"
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace=namespace, workflow_execution_retention_period=Duration(seconds=86_400)
        )
    )
    made = await Client.connect(
        client.service_client.config.target_host,
        namespace=namespace,
        data_converter=client.data_converter,
    )
    async with asyncio.timeout(WAIT_SECONDS):
        while True:  # The server takes a moment to know it.
            try:
                await made.count_workflows("WorkflowId = 'x'")
            except RPCError:
                await asyncio.sleep(0.1)
            else:
                return made
