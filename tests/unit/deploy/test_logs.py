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


_WHAT_FAILS = """
import structlog
from deploy import logs
class Broken:
    def __repr__(self): raise RuntimeError
logs.configure()
log = structlog.get_logger()
log.warning("step.ended", what=Broken())
log.warning("step.ended", **{"a": {("x", "y"): 1}})
circle = {}
circle["itself"] = circle
log.warning("step.ended", what=circle)
print("goes on")
"""


def test_what_cannot_be_logged_is_named_and_ends_nobody() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WHAT_FAILS], capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["event"] for line in lines} == {"step.ended"}
    assert [line["not_logged"] for line in lines] == ["RuntimeError", "TypeError", "ValueError"]
    assert done.stdout == "goes on\n"


def test_who_logs_to_what_is_closed_goes_on() -> None:
    program = _ON_A_FULL_DISK.format(setting="logs.configure(); sys.stderr.close()")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout == "goes on\n"
