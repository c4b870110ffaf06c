"""What a receiver is sent: the task as ``GET /tasks/{id}`` shows it."""

import json
from collections.abc import Mapping
from typing import Any

from activities.store.deliveries import Claimed
from api.wire.responses.tasks import Task

MAX_BODY_BYTES = 256 * 1024

# The first to be left out comes first. Each in a way that the task still has its form.
_EMPTY: Mapping[str, Any] = {
    "sub_tasks": [],
    "definition": None,
    "artifacts": [],
    "result": None,
    "prompt": None,
    "inputs": {},
    "error": None,
    "route": None,
}


def body_of(delivery: Claimed, task: Task) -> str:
    """At most ``MAX_BODY_BYTES``: ``omitted`` names the fields of the task that were left out. The
    task may have gone on since the notice was written; ``run`` is the one that the notice is of."""
    shown = task.model_dump(mode="json")
    omitted: list[str] = []
    text = _text(delivery, shown, omitted)
    for name, empty in _EMPTY.items():
        if len(text.encode()) <= MAX_BODY_BYTES:
            break
        shown[name] = empty
        omitted.append(name)
        text = _text(delivery, shown, omitted)
    return text


def _text(delivery: Claimed, task: Mapping[str, Any], omitted: list[str]) -> str:
    document = {
        "type": delivery.type,
        "timestamp": delivery.created_at.isoformat(),
        "data": {"run": delivery.run, "task": task, "omitted": omitted},
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
