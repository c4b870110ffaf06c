"""What a job's processes use, as the watchdog sees it."""

import os

from activities.sandbox.tree import mounted_usage


def test_a_folder_of_the_host_is_never_counted_as_the_jobs() -> None:
    """As in the moment before bwrap has changed its root: this process stands for it."""
    assert os.statvfs("/tmp").f_blocks > 0
    assert mounted_usage(os.getpid(), "/tmp") == (0, 0)
