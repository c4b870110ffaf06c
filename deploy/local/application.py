"""API and workers, as children of the stack."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.part import Part, Ready
from deploy.local.readiness import HttpReadiness
from deploy.local.services import Services, StackOptions
from deploy.local.tcp_ports import LOOPBACK
from deploy.worker_address import OFF
from deploy.worker_end import END_SECONDS, STOP_SECONDS

_API_STOP_SECONDS = 10.0
_WORKER_ADDRESS = "AGENTOS_WORKER_ADDRESS"


def worker_names(workers: int) -> list[str]:
    """``worker``, ``worker-2``, ``worker-3``, ..."""
    return ["worker", *(f"worker-{number}" for number in range(2, workers + 1))][:workers]


def api_part(options: StackOptions, services: Services, port: int) -> Part:
    """The API and the web page, on a port of the loopback interface."""
    url = f"http://{LOOPBACK}:{port}"
    words = ("api", "--host", LOOPBACK, "--port", str(port))
    return Part(
        name="api",
        command=_command(*words),
        words=words,
        folder=Path.cwd(),  # paths in the environment may be relative to it
        ready=HttpReadiness(f"{url}/readyz"),
        ports=(port,),
        urls={"api": url},
        environment=_environment(options, services),
        stop_seconds=_API_STOP_SECONDS,
    )


def has_monitors(options: StackOptions) -> bool:
    """Whether workers answer monitors, at ports of loopback that the stack chooses."""
    return options.environment.get(_WORKER_ADDRESS) != OFF


def worker_part(
    options: StackOptions, services: Services, name: str, ready: Ready, ports: Sequence[int]
) -> Part:
    """One worker process, and the port at which it answers monitors, if it does."""
    address = f"{LOOPBACK}:{ports[0]}" if ports else OFF
    return Part(
        name=name,
        command=_command("worker"),
        words=("worker",),
        folder=Path.cwd(),
        ready=ready,
        ports=ports,
        urls={name: f"http://{address}" if ports else None},
        needed=False,
        environment={**_environment(options, services), _WORKER_ADDRESS: address},
        stop_seconds=_worker_stop_seconds(options),
    )


def _worker_stop_seconds(options: StackOptions) -> float:
    """What its steps may take, and then its end."""
    try:
        allowed = float(options.environment.get("AGENTOS_STOP_SECONDS", STOP_SECONDS))
    except ValueError:  # The worker itself says what is wrong.
        allowed = STOP_SECONDS
    return allowed + END_SECONDS


def _command(*words: str) -> tuple[str, ...]:
    # -P: a file `worker.py` or `api.py` in the current folder must not be taken for ours.
    return (sys.executable, "-P", "-m", "deploy.cli", *words)


def _environment(options: StackOptions, services: Services) -> dict[str, str]:
    # Only who uses this machine reaches the API, which a worker cannot see.
    usual = {"AGENTOS_KEYS_REQUIRED": "false"}
    # The file of Temporal's SDK, in the user's home, names another server and its key.
    own = {"AGENTOS_TASK_QUEUE": options.task_queue, "TEMPORAL_CONFIG_FILE": os.devnull}
    given = {name: value for name, value in options.environment.items() if not _is_of_others(name)}
    return {**usual, **given, **services.environment(), **own}


def _is_of_others(name: str) -> bool:
    """Whether a variable is about services other than those of the stack.

    Its API would read from the replica of another database, and its workers would send the keys and
    the certificates of another Temporal to a server that knows none of them.
    """
    return name == "AGENTOS_DATABASE_READ_URL" or name.startswith("TEMPORAL_")
