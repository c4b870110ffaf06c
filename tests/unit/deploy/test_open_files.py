"""How many viewers the limit on open files leaves room for."""

import subprocess
import sys

import pytest

_PROGRAM = """
import resource
from deploy.open_files import viewers_allowed
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
print(viewers_allowed({wanted}), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "allowed", "soft_then"),
    [
        (1_024, 4_096, 2_000, 2_000, 2_512),
        (1_024, 2_048, 2_000, 1_536, 2_048),
        (4_096, 4_096, 2_000, 2_000, 4_096),
        (256, 300, 2_000, 1, 300),
    ],
)
def test_the_limit_is_raised_as_far_as_viewers_need_and_the_system_allows(
    soft: int, hard: int, wanted: int, allowed: int, soft_then: int
) -> None:
    # In a process of its own: a hard limit cannot be raised again.
    program = _PROGRAM.format(soft=soft, hard=hard, wanted=wanted)
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == f"{allowed} {soft_then}"
