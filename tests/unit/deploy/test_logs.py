"""What libraries may say in logs."""

import subprocess
import sys

import pytest

_PROGRAM = """
import logging, sys
from deploy import logs
logs.configure("INFO")
logging.getLogger(sys.argv[1]).info("open-sesame")
logging.getLogger(sys.argv[1]).warning("in trouble")
"""


@pytest.mark.parametrize("library", ["httpx2", "httpcore2.connection", "uvicorn.access"])
def test_addresses_that_were_asked_are_not_logged_by_libraries(library: str) -> None:
    """They may have words of a server, as those of sessions have."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, library], capture_output=True, text=True, check=True
    )
    assert "open-sesame" not in done.stderr
    assert "in trouble" in done.stderr


_ON_A_FULL_DISK = """
import sys, structlog
from deploy import logs
logs.show(open("/dev/full", "w"))
structlog.get_logger().warning("part.died")
print("goes on")
"""


def test_what_logs_to_a_full_disk_goes_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ON_A_FULL_DISK], capture_output=True, text=True, check=False
    )
    assert done.stdout == "goes on\n"
