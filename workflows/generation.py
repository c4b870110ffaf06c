"""Which commands the code of workflows gives: a number that grows when a change adds some.

``workflow.patched`` would do, at the price of two more events in each run that asks. Temporal notes
with every task of a workflow the build id of the worker that has done it, and the SDK tells that
when it replays. So a run that began on an older worker goes on here as it would have gone on there,
task by task.
"""

from temporalio import workflow

GENERATION = 2


def build_id(version: str) -> str:
    """What a worker of this code calls itself."""
    return f"{version}/{GENERATION}"


def generation_of() -> int:
    """Of the worker that does, or once did, the present task of the workflow."""
    _, _, number = workflow.info().get_current_build_id().rpartition("/")
    return int(number) if number.isdecimal() else 1
