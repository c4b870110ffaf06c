"""What `agentos up` says where a stack runs already, or where another program has its port."""

from collections.abc import Iterator

from api.addresses import DEFAULT_URL
from api.cli.stack_errors import NoStackHere
from deploy import variables
from deploy.local.errors import StackDiffers, StackInUse
from deploy.local.services import API_PORT
from deploy.local.state import running_parts
from deploy.local.tcp_ports import LOOPBACK, is_free
from deploy.stack_here import stack_here


def where_it_runs(in_use: StackInUse, *, port: int | None, workers: int | None) -> str:
    """Where the stack is that has the folder, for whoever asked for just that one; None asks for
    nothing.

    Raises:
        StackDiffers: it is not as was asked for, or cannot be known to be, as long as it starts.
    """
    parts = running_parts(in_use.data_dir)
    url = parts["api"].url if "api" in parts else None
    found = sum(name.partition("-")[0] == "worker" for name in parts)
    has_port = port is None or url == f"http://{LOOPBACK}:{port}"
    if not has_port or workers not in (None, found):
        asked = (
            *([f"--port {port}"] if port else []),
            *([f"--workers {workers}"] if workers else []),
        )
        at = f"its API at {url}" if url else "no API yet"
        raise StackDiffers(
            **in_use.fields, running=f"{at} and {_workers(found)}", wanted=" ".join(asked)
        )
    return f"{in_use} Its API is at {url}." if url else f"{in_use} It is starting."


def why_another_port(usual: int) -> str:
    """Why the API is not at its ``usual`` port, though no other one was asked for."""
    if is_free(usual):
        return "It was there last time"
    return f"Port {usual} is taken by another program"


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def lines_on_the_port(url: str, *, was_asked_for: bool) -> Iterator[str]:
    """Where the API is not at the usual address: how commands get there, and not elsewhere."""
    if url != DEFAULT_URL and not was_asked_for:
        yield f"{why_another_port(API_PORT)}, so the API is at {url}."
    setting = f"export AGENTOS_API_URL={url}"
    try:
        here = None if variables.api_url() else stack_here()
    except NoStackHere as stopped:
        away = f"Commands typed in this folder want the stack on {stopped.fields['data_dir']}."
        yield f"{away} To have them come here: {setting}"
        return
    reached = variables.api_url() or (here.api_url if here else None) or DEFAULT_URL
    if reached != url:
        yield f"Commands go to {reached}. To have them come here: {setting}"
    elif url != DEFAULT_URL:
        yield f"Commands typed in this folder find it. In another one: {setting}"
