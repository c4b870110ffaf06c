"""The fork server, as the supervisor sees it.

It forks what the start of a stack needs. A part that has died is started again in an interpreter of
its own: the fork server has the code in memory that was there when the stack started, while a part
imports most of its modules later, from the files. Once AgentOS has been upgraded in place, these
two do not fit together, and every fork would die of an ImportError, or do the wrong thing.
"""

import json
import time
from collections import deque
from collections.abc import Mapping

import structlog

from deploy.local.child import ForkedChild
from deploy.local.fork_process import ForkProcess, begin, without_settings
from deploy.local.fork_protocol import END
from deploy.local.part import Part

_MOST_STARTS = 3
_WINDOW_SECONDS = 600.0

log = structlog.get_logger(__name__)


class ForkServer:
    """Forks parts that run our own command, in place of starting an interpreter for each.

    Where it does not answer, or the kernel refuses us what a fork takes, a part is started as if
    there were none. One that has died is started again when the next part needs it, unless it did
    so too often. Those that it has forked are our children and go on without it.
    """

    def __init__(self, environment: Mapping[str, str], process: ForkProcess | None = None) -> None:
        """Its own environment is that of the parts, without settings. ``process`` is one of this
        environment that loads already; it is ours from now on."""
        self._environment = without_settings(environment)
        self._process = process
        self._is_open = True
        self._starts: deque[float] = deque([time.monotonic()] if process else [], _MOST_STARTS)

    @property
    def pid(self) -> int | None:
        """None where it does not run."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Let it load. It ends with us."""
        self._starts.append(time.monotonic())
        self._process = begin(self._environment)

    def close(self) -> None:
        """End it, and none of those that it has forked."""
        self._is_open = False
        if self._process is not None:
            self._process.close()
        self._process = None

    async def fork(self, part: Part, output: int, lock: int) -> ForkedChild | None:
        """The part, running; None where it has to be started in another way."""
        if part.words is None:
            return None
        if without_settings(part.environment) != self._environment:
            return None  # What it has loaded may depend on what differs.
        while process := self._running(part):
            try:
                return await process.fork(_request(part), output, lock)
            except TimeoutError:
                self._lose(process, part, "it does not answer")
                break
            except (ConnectionError, EOFError) as error:
                self._lose(process, part, str(error))
            except OSError as error:
                # Refused to us, such as one file more. Another fork server would not help.
                log.warning("fork_server.not_used", part=part.name, reason=str(error))
                break
        return None

    def _running(self, part: Part) -> ForkProcess | None:
        """Started again where it has died, which takes no longer than to start the part alone; None
        where it did so too often."""
        if self._process is not None and self._process.status is not None:
            self._lose(self._process, part, "it has ended")
        if self._process is None and self._is_open and self._may_start:
            self.start()
            log.info("fork_server.started", part=part.name, pid=self.pid)
        return self._process

    @property
    def _may_start(self) -> bool:
        is_often = len(self._starts) == _MOST_STARTS
        return not is_often or time.monotonic() - self._starts[0] > _WINDOW_SECONDS

    def _lose(self, process: ForkProcess, part: Part, reason: str) -> None:
        """Once, for all that wait for it."""
        if self._process is not process:
            return
        log.warning(
            "fork_server.lost",
            part=part.name,
            reason=reason,
            status=process.status,
            said=process.last_words,
        )
        process.close()
        self._process = None


def _request(part: Part) -> bytes:
    request = {
        "orphan_signal": int(part.orphan_signal),
        "folder": str(part.folder),
        "environment": dict(part.environment),
        "command": part.command,
        "words": part.words,
    }
    return json.dumps(request).encode() + END
