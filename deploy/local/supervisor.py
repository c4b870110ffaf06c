"""Keep the parts running: start, watch, start again, and give up with a clear message."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from activities.disk import Disk
from deploy.local.errors import NotReady, PartDidNotStart, PartFailed, PartNotReady, PartRests
from deploy.local.part import Fork, Part, Process, Ready, not_forked, rotate
from deploy.local.tcp_ports import Suits, any_port, choose_ports, find_silent, is_free

log = structlog.get_logger(__name__)

_MOST_STARTS = 3  # of a part whose ports others take
_READY_SECONDS = 120.0
_POLL_SECONDS = 0.03
_MOST_DEATHS = 5
_WINDOW_SECONDS = 60.0
_LONGEST_DELAY_SECONDS = 5.0


BuildPart = Callable[[Sequence[int]], Part]


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds. A part that died is started again after ``first_delay``, and later each time. One
    that the others can do without has a ``rest`` when it died too often. ``logs`` lie between two
    looks at how long the logs are, and at the disk, ``room`` between two at a disk that is full."""

    first_delay: float = 0.1
    rest: float = 300.0
    logs: float = 5.0
    room: float = 2.0


_PAUSES = Pauses()


class Supervisor:
    """Runs parts until stopped, or until one of them cannot be kept alive."""

    def __init__(
        self,
        logs: Path,
        lock: int,
        on_change: Callable[[], None],
        *,
        pauses: Pauses = _PAUSES,
        on_ready: Callable[[str], None] = lambda part: None,
        on_disk: Callable[[str], None] = lambda said: None,
        fork: Fork = not_forked,
    ) -> None:
        """``on_change`` is called whenever a process has been replaced by another, or is gone;
        ``on_ready`` with the name of each part that can be used for the first time, ``on_disk``
        with what is to be said when the disk runs full, and when it has room again. ``fork``
        starts parts where it can: those that have died are never forked."""
        self._fork = fork
        self._on_ready = on_ready
        self._on_disk = on_disk
        self._disk_is_full = False
        self._logs = logs
        self._disk = Disk(logs, "the embedded stack")
        self._pauses = pauses
        self._rotating: asyncio.Task[None] | None = None
        self._lock = lock
        self._on_change = on_change
        self._processes: dict[str, Process] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def processes(self) -> Sequence[Process]:
        """What was started last for each part, in the order of starting."""
        return tuple(self._processes.values())

    async def start(self, part: Part, *, after: asyncio.Event | None = None) -> None:
        """Start a part, return when it can be used, and watch it from then on.

        It is not expected to be ready, and not asked, until ``after`` is set.

        Raises:
            PartDidNotStart: it ended instead.
            PartNotReady: it did not answer in time. Nothing of it is left.
        """
        process = await self._spawn(part, self._fork)
        try:
            if part.ready:
                await self._until_ready(process, part.ready, after)
        except BaseException:
            await process.kill()
            self._processes.pop(part.name, None)  # a stop at the same time may have taken it
            raise
        self._on_ready(part.name)
        watcher = asyncio.create_task(self._keep(process))
        watcher.add_done_callback(self._note_failure)
        self._watchers[part.name] = watcher
        if self._rotating is None:
            self._rotating = asyncio.create_task(self._keep_disk())

    async def start_on_ports(
        self,
        wanted: Sequence[int | None],
        build: BuildPart,
        *,
        suits: Suits = any_port,
        after: asyncio.Event | None = None,
    ) -> Sequence[int]:
        """Start a part that listens on as many ports as are wanted; gives those it got.

        A port that is taken, then or a moment later, gives way to another that ``suits``.
        ``after`` is as in ``start``.

        Raises:
            PartDidNotStart, PartNotReady: as ``start`` does, and no port was the cause.
        """
        starts = 0
        while True:
            ports = choose_ports(wanted, suits)
            starts += 1
            try:
                await self.start(build(ports), after=after)
            except PartDidNotStart:
                ports_are_fine = not any(wanted) and all(is_free(port) for port in ports)
                if ports_are_fine or starts == _MOST_STARTS:
                    raise
                wanted = [None] * len(wanted)
            else:
                return ports

    async def run_to_end(self, part: Part) -> tuple[str, str]:
        """Run a program that ends by itself; gives how it ended, in words, and its last words."""
        process = await Process.start(part, self._log_of(part), self._lock, self._fork)
        try:
            await process.wait()
        finally:
            await process.kill()
        return process.status or "no end", process.last_words

    async def wait(self) -> None:
        """Return when ``stop`` was called for all.

        Raises:
            PartFailed: a part died too often.
        """
        await asyncio.shield(self._end)

    async def stop(self, *names: str) -> None:
        """End the named parts, side by side."""
        watchers = [self._watchers.pop(name) for name in names if name in self._watchers]
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        ending = [self._processes.pop(name) for name in names if name in self._processes]
        await asyncio.gather(*(process.stop() for process in ending))
        if not self._watchers and self._rotating is not None:
            self._rotating.cancel()
            self._rotating = None
        if not self._watchers and not self._end.done():
            self._end.set_result(None)
        elif self._end.done():
            self._end.exception()  # a failure that nobody waited for is not worth a warning

    def _note_failure(self, watcher: asyncio.Task[None]) -> None:
        if watcher.cancelled() or self._end.done():
            return
        if failure := watcher.exception():
            self._end.set_exception(failure)

    async def _spawn(self, part: Part, fork: Fork) -> Process:
        process = await Process.start(part, self._log_of(part), self._lock, fork)
        self._processes[part.name] = process
        return process

    async def _keep(self, process: Process) -> None:
        part, deaths = process.part, _Deaths(self._pauses.first_delay)
        while True:
            await process.wait()
            delay = deaths.count()
            if delay is None:
                await self._after_many_deaths(process)
                deaths = _Deaths(self._pauses.first_delay)
            else:
                log.warning(
                    "part.died", part=part.name, status=process.status, restart_in_seconds=delay
                )
                await asyncio.sleep(delay)
            # The installation may be another one by now, see `forking.py`.
            process = await self._spawn(part, not_forked)
            log.info("part.restarted", part=part.name, pid=process.pid)
            self._tell_of_change(part)

    async def _after_many_deaths(self, process: Process) -> None:
        """Return when a part may be started again that died too often.

        Raises:
            PartFailed: the others are of no use without it.
        """
        part = process.part
        where = {"deaths": _MOST_DEATHS, "status": process.status, **self._where_to_look(process)}
        if self._disk.shortage is not None:
            await self._until_there_is_room(part)
            return
        if part.needed:
            raise PartFailed(**where)
        rests = PartRests(minutes=self._pauses.rest / 60, **where)
        log.error("part.rests", part=part.name, reason=str(rests))
        del self._processes[part.name]
        self._tell_of_change(part)
        await asyncio.sleep(self._pauses.rest)

    async def _until_there_is_room(self, part: Part) -> None:
        """Restarting does not help on a full disk, and stopping everything helps nobody."""
        log.error("part.waits_for_room", part=part.name, reason=str(self._disk.shortage))
        # Nothing tells when room is made.
        while self._disk.shortage is not None:  # noqa: ASYNC110
            await asyncio.sleep(self._pauses.room)

    def _tell_of_change(self, part: Part) -> None:
        try:
            self._on_change()
        except OSError as error:  # The disk is full, say. That is no reason to stop all others.
            log.warning("part.not_published", part=part.name, reason=error.strerror)

    async def _keep_disk(self) -> None:
        while True:
            await asyncio.sleep(self._pauses.logs)
            self._look_at_disk()
            for process in self.processes:
                try:
                    await asyncio.to_thread(rotate, process.log)
                except OSError as error:
                    log.warning("log.not_put_aside", log=process.log, reason=error.strerror)

    def _look_at_disk(self) -> None:
        """Told once each time, for as long as the stack runs."""
        shortage = self._disk.shortage
        if (shortage is not None) is self._disk_is_full:
            return
        again = f"There is room again on the disk of {self._disk.service}. All goes on by itself."
        try:
            self._on_disk(again if shortage is None else str(shortage))
        except OSError as error:  # It is told to a file on that disk, say: the next look tells it.
            log.warning("disk.not_told", reason=error.strerror or type(error).__name__)
            return
        self._disk_is_full = shortage is not None

    async def _until_ready(
        self, process: Process, ready: Ready, after: asyncio.Event | None
    ) -> None:
        reason = "it did not answer"
        ended = asyncio.create_task(process.wait())
        try:
            if after:
                await _either(ended, after)
            async with asyncio.timeout(_READY_SECONDS):
                while not ended.done():
                    try:
                        _check_ports(process)
                        return await ready()
                    except NotReady as answer:
                        reason = str(answer)
                    await asyncio.wait([ended], timeout=_POLL_SECONDS)
        except TimeoutError:
            where = self._where_to_look(process)
            raise PartNotReady(seconds=_READY_SECONDS, reason=reason, **where) from None
        finally:
            ended.cancel()
        raise PartDidNotStart(status=process.status, **self._where_to_look(process))

    @staticmethod
    def _where_to_look(process: Process) -> dict[str, object]:
        return {"part": process.part.name, "log": process.log, "tail": process.last_words}

    def _log_of(self, part: Part) -> Path:
        return self._logs / f"{part.name}.log"


async def _either(ended: asyncio.Task[None], after: asyncio.Event) -> None:
    due = asyncio.create_task(after.wait())
    try:
        await asyncio.wait([ended, due], return_when=asyncio.FIRST_COMPLETED)
    finally:
        due.cancel()


def _check_ports(process: Process) -> None:
    silent = find_silent(process.pid, process.part.ports)
    if silent is not None:
        raise NotReady(reason=f"it does not listen on port {silent}")


class _Deaths:
    """How often a part died lately."""

    def __init__(self, first_delay_seconds: float) -> None:
        self._first_delay_seconds = first_delay_seconds
        self._times: deque[float] = deque()

    def count(self) -> float | None:
        """Count one more; gives the seconds until the next start, or None for "give up"."""
        now = time.monotonic()
        self._times.append(now)
        while now - self._times[0] > _WINDOW_SECONDS:
            self._times.popleft()
        if len(self._times) >= _MOST_DEATHS:
            return None
        delay_seconds = self._first_delay_seconds * 3 ** (len(self._times) - 1)
        return float(min(delay_seconds, _LONGEST_DELAY_SECONDS))
