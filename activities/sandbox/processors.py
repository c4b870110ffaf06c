"""Whether this machine has a processor to spare right now."""

import os

from activities.sandbox.tree import read_file

# What is done ahead takes a processor from what runs when so many jobs do; two are few anywhere.
_FEW_JOBS = 2


def are_all_taken(jobs: int) -> bool:
    """Whether so many jobs keep all processors busy. They may as well sleep: so it is asked how
    many threads of the machine want one, see proc(5), loadavg. False where it does not tell."""
    processors = len(os.sched_getaffinity(0))
    if jobs < max(_FEW_JOBS, processors):
        return False
    try:
        running, _, _ = read_file("/proc/loadavg").split()[3].partition(b"/")
        return int(running) > processors
    except (OSError, IndexError, ValueError):
        return False
