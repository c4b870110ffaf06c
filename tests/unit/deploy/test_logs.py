"""What libraries may say in logs."""

import json
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


_OWN_BESIDE_OTHERS = """
import logging, structlog
from deploy import logs
logs.configure("INFO")
log = structlog.get_logger()
log.debug("unheard")
with structlog.contextvars.bound_contextvars(task_id="t-1"):
    log.info("step.ended", files=1)
    logging.getLogger("library").warning("in trouble")
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("failed")
"""


def test_own_logs_and_those_of_libraries_are_lines_of_json_in_their_order() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _OWN_BESIDE_OTHERS], capture_output=True, text=True, check=True
    )
    own, other, failed = map(json.loads, done.stderr.splitlines())
    assert (own["event"], own["files"], own["level"]) == ("step.ended", 1, "info")
    assert (other["event"], other["level"]) == ("in trouble", "warning")
    assert failed["level"] == "error"
    assert "ValueError: why" in failed["exception"]
    assert {line["task_id"] for line in (own, other, failed)} == {"t-1"}
    assert all(line["timestamp"].endswith("Z") for line in (own, other, failed))


_ON_A_FULL_DISK = """
import sys, structlog
from deploy import logs
{setting}
structlog.get_logger().warning("part.died")
print("goes on")
"""


@pytest.mark.parametrize(
    "setting",
    [
        'logs.show(open("/dev/full", "w"))',
        'sys.stderr = open("/dev/full", "w"); logs.configure()',
    ],
)
def test_what_logs_to_a_full_disk_goes_on(setting: str) -> None:
    program = _ON_A_FULL_DISK.format(setting=setting)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout == "goes on\n"
