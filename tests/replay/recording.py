"""Records histories for the replay tests: ``python -m tests.replay.recording NAME...``

A name is that of a scene, such as ``agent-short``, or a pattern of names, such as ``'plan-*'``;
without one all scenes are named. Record anew only what a change was meant to break, and say so in
the changelog: the histories kept here stand for those that are out there.
"""

import asyncio
import fnmatch
import json
import sys
from itertools import chain
from pathlib import Path

from pydantic import JsonValue
from temporalio.client import WorkflowHistory

from tests.replay import agents, conversations, pipelines, schedules

HISTORIES = Path(__file__).parent / "histories"
PLAYED = (pipelines, agents, schedules, conversations)


async def record(*names: str) -> None:
    known = [*chain.from_iterable(scenes.SCENES for scenes in PLAYED)]
    if not names or not all(fnmatch.filter(known, name) for name in names):
        sys.exit("name some of these: " + " ".join(known))
    for scenes in PLAYED:
        found = (fnmatch.filter(scenes.SCENES, name) for name in names)
        if wanted := [*chain.from_iterable(found)]:
            await scenes.play(wanted, _keep)


def _keep(name: str, history: WorkflowHistory) -> None:
    document = _portable(json.loads(history.to_json()))
    (HISTORIES / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")


def _portable(value: JsonValue) -> JsonValue:
    """Without what tells of the machine it was recorded on; a replay needs none of it."""
    if isinstance(value, dict):
        return {
            key: _portable(item)
            for key, item in value.items()
            if key not in ("stackTrace", "identity")
        }
    return [_portable(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    asyncio.run(record(*sys.argv[1:]))
