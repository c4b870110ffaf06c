"""Removing from a worker's folder what nobody uses any more, while workers use the rest.

Each part says itself what is in use: by a lock that its user holds, or, of copies of skills, by a
time that no job outlives. Workers that share a folder may all tidy it.
"""

import time
from pathlib import Path

import structlog

from activities.attempts import scratch
from activities.inputs import cache
from activities.sandbox import own_folder
from activities.skills import eviction, staging

INTERVAL_SECONDS = 600.0

log = structlog.get_logger(__name__)


def tidy(work_folder: Path, unused_seconds: float | None) -> None:
    """Remove scratch folders of workers that are gone and those of their sandboxes, old copies of
    skills, and the environments and inputs that were not used for so long; None: these stay until
    others need their room."""
    if (runs := work_folder / "runs").is_dir():
        scratch.sweep(runs)
    for name in ("warm", "etc"):
        if (shared := work_folder / name).is_dir():
            own_folder.sweep(shared)
    if (skills := work_folder / "skills").is_dir():
        staging.sweep(skills)
    if (environments := work_folder / "envs").is_dir():
        eviction.evict(environments, eviction.Limits(unused_seconds=unused_seconds))
    if unused_seconds is not None:
        cache.expire(work_folder / "inputs", unused_seconds)


def keep_tidy(work_folder: Path, unused_seconds: float | None) -> None:
    """Tidy now and then, for the life of the process: in a thread that may break off anywhere."""
    while True:
        try:
            tidy(work_folder, unused_seconds)
        except OSError as error:  # What it could not do, the next time may.
            log.warning("worker.untidy", reason=str(error))
        time.sleep(INTERVAL_SECONDS)
