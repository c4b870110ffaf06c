"""API and workers, as children of the stack."""

import sys
from pathlib import Path

from deploy.local.part import Part, Ready
from deploy.local.readiness import HttpReadiness
from deploy.local.services import Services, StackOptions
from deploy.local.tcp_ports import LOOPBACK

_STOP_SECONDS = 10.0


def worker_names(workers: int) -> list[str]:
    """``worker``, ``worker-2``, ``worker-3``, ..."""
    return ["worker", *(f"worker-{number}" for number in range(2, workers + 1))][:workers]


def api_part(options: StackOptions, services: Services, port: int) -> Part:
    """The API and the web page, on a port of the loopback interface."""
    url = f"http://{LOOPBACK}:{port}"
    return Part(
        name="api",
        command=_command("api", "--host", LOOPBACK, "--port", str(port)),
        folder=Path.cwd(),  # paths in the environment may be relative to it
        ready=HttpReadiness(f"{url}/readyz"),
        ports=(port,),
        urls={"api": url},
        environment=_environment(options, services),
        stop_seconds=_STOP_SECONDS,
    )


def worker_part(options: StackOptions, services: Services, name: str, ready: Ready) -> Part:
    """One worker process."""
    return Part(
        name=name,
        command=_command("worker"),
        folder=Path.cwd(),
        ready=ready,
        urls={name: None},
        environment=_environment(options, services),
        stop_seconds=_STOP_SECONDS,
    )


def _command(*words: str) -> tuple[str, ...]:
    # -P: a file `worker.py` or `api.py` in the current folder must not be taken for ours.
    return (sys.executable, "-P", "-m", "deploy.cli", *words)


def _environment(options: StackOptions, services: Services) -> dict[str, str]:
    # Only who uses this machine reaches the API, which a worker cannot see.
    usual = {"AGENTOS_KEYS_REQUIRED": "false"}
    own = {"AGENTOS_TASK_QUEUE": options.task_queue}
    return {**usual, **options.environment, **services.environment(), **own}
