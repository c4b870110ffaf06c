"""The offline model, as a part of the stack where the environment names no other."""

import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.part import Part
from deploy.local.readiness import HttpReadiness
from deploy.local.state import DataFolder
from deploy.local.tcp_ports import LOOPBACK

MODEL_VARIABLES = ("OPENAI_API_KEY", "OPENAI_BASE_URL")
_PROJECT = Path(__file__).parents[2]


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether nothing says which model to use."""
    return not any(environment.get(name) for name in MODEL_VARIABLES)


def prepare(data: DataFolder, port: int) -> Part:
    """A server of the offline model."""
    url = base_url(port)
    folder = data.folder("model")
    return Part(
        name="model",
        command=(sys.executable, "-P", "-m", "deploy.offline_model", str(port)),
        folder=folder,
        ready=HttpReadiness(f"{url}/models"),
        ports=(port,),
        urls={"model": url},
        needed=False,
        # It needs nothing of ours but the code; secrets least of all.
        environment={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(_PROJECT)},
    )


def base_url(port: int) -> str:
    """What OPENAI_BASE_URL is set to."""
    return f"http://{LOOPBACK}:{port}/v1"
