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
