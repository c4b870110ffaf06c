"""Sends what webhooks and callbacks are to be told, at least once, and never in a transaction.

A delivery is taken for a while, sent, and written down. Whoever dies in between loses it to another
API, or to itself after a restart, when that while is over; its receiver knows it by its id.
"""

import asyncio
import random
import time
from collections import Counter
from itertools import islice

import structlog

from activities.metrics.definitions import WEBHOOK_ATTEMPTS
from activities.pinned_http import Resolve, resolve_by_system
from activities.store import deliveries
from activities.store.deliveries import Claimed, Wanted
from activities.store.reading.tasks import find_details
from activities.store.webhooks import (
    SWITCHED_OFF,
    SwitchedOff,
    place_of_callbacks,
    place_of_webhook,
    webhook_switched_off,
)
from activities.webhooks.errors import EndpointRefused, SecretUnreadable
from activities.webhooks.policy import WebhookPolicy
from activities.webhooks.sending import Outcome, Post
from activities.webhooks.signing import signed_headers
from api.passes import Passes
from api.services import Services
from api.tasks.views import Views
from api.webhooks.bodies import body_of
from workflows.backoff import Backoff
from workflows.errors import AgentOSError, TemporaryFailure

PASS_TIMEOUT_SECONDS = 30.0
# One pass goes on for so long, if there is so much to send.
_PASS_SECONDS = 10.0
# The first failure comes a moment after the notice, which is tried for as long by default.
_NEARLY = 0.99
# Bodies that are made at once: those who ask the API wait for the same connections.
_MOST_READING = 4
# A receiver that did not answer gets one at a time until it does.
_MAX_SILENT = 1_000

log = structlog.get_logger(__name__)


class Sender:
    """Any number of APIs may run one: each delivery is taken by one of them."""

    def __init__(self, services: Services, resolve: Resolve = resolve_by_system) -> None:
        self._services = services
        self._options = services.webhooks
        self._policy = WebhookPolicy(self._options)
        self._post = Post(self._options, resolve)
        self._views = Views(services.options)
        self._backoff = Backoff(
            self._options.first_pause_seconds, self._options.longest_pause_seconds
        )
        self._running: dict[asyncio.Task[None], str] = {}
        self._silent: set[str] = set()
        self._reading = asyncio.Semaphore(_MOST_READING)
        self._after = ""

    async def run(self) -> None:
        """Send until cancelled. What is under way then is sent again by whoever comes next."""
        interval_seconds, begun = self._options.poll_seconds, time.monotonic()
        try:
            await self._until_ready()
            passes = Passes("webhooks", self.send_due, interval_seconds, PASS_TIMEOUT_SECONDS)
            await passes.run(begun)
        finally:
            await self._stop()

    async def _until_ready(self) -> None:
        """While a stack starts, its API is there a moment before the tables; `/readyz` says so."""
        while True:
            try:
                await self._services.database.check()
            except AgentOSError:
                await asyncio.sleep(self._options.poll_seconds)
            else:
                return

    async def send_due(self) -> None:
        """One pass: begin to send what is due. What takes its time goes on beside later passes.

        Raises ``TemporaryFailure`` when the database cannot be reached.
        """
        if not (await self._services.looks.look()).deliveries:
            return
        end = asyncio.get_running_loop().time() + _PASS_SECONDS
        while await self._begin() and asyncio.get_running_loop().time() < end:
            if self._running:
                await asyncio.wait(
                    self._running,
                    timeout=self._options.poll_seconds,
                    return_when=asyncio.FIRST_COMPLETED,
                )

    async def _begin(self) -> bool:
        """Whether there may be more."""
        free = self._options.at_once - len(self._running)
        if free <= 0:
            return True
        wanted = Wanted(
            free,
            self._options.each_at_once,
            self._options.lease_seconds,
            self._places(),
            self._after,
        )
        taken = await deliveries.claim_due(self._services.database, wanted)
        for delivery in taken:
            sending = asyncio.create_task(self._send(delivery), name=f"webhook {delivery.id}")
            self._running[sending] = delivery.target
            sending.add_done_callback(self._on_sent)
        # In turns: the next ones are those behind the last receiver.
        was_behind, is_cut = bool(self._after), len(taken) == free
        self._after = max(each.target for each in taken) if is_cut else ""
        return was_behind or bool(taken)

    def _places(self) -> dict[str, int]:
        """How many more may be sent to those receivers that cannot take as many as any other."""
        busy = Counter(self._running.values())
        return {
            target: (1 if target in self._silent else self._options.each_at_once) - busy[target]
            for target in busy.keys() | self._silent
        }

    def _on_sent(self, sending: asyncio.Task[None]) -> None:
        self._running.pop(sending)
        if not sending.cancelled() and (error := sending.exception()) is not None:
            # It is another's turn when the lease is over.
            is_known = isinstance(error, TemporaryFailure)
            log.warning("webhook.lost", reason=str(error), exc_info=None if is_known else error)

    async def _stop(self) -> None:
        sending = list(self._running)
        for each in sending:
            each.cancel()
        await asyncio.gather(*sending, return_exceptions=True)

    async def _send(self, delivery: Claimed) -> None:
        database = self._services.database
        if not delivery.is_active:
            await deliveries.given_up(database, delivery, None, SWITCHED_OFF)
            return
        outcome = await self._attempt(delivery)
        if outcome is None:
            return
        self._note_silence(delivery.target, outcome)
        end = "delivered" if outcome.is_success else "failed"
        self._services.numbers.count(WEBHOOK_ATTEMPTS, end)
        if outcome.is_success:
            await deliveries.delivered(database, delivery, outcome.sent)
            return
        await self._fail(delivery, outcome)

    async def _attempt(self, delivery: Claimed) -> Outcome | None:
        """None when the delivery is somebody else's by now."""
        try:
            body = delivery.body or await self._fixed_body(delivery)
            if body is None:
                return None
            endpoint = self._policy.judge(delivery.team_id, delivery.url)
            headers = signed_headers(self._secret(delivery), delivery.id, body)
        except (EndpointRefused, SecretUnreadable) as error:
            return Outcome.unsent(str(error))
        return await self._post.send(endpoint, body, headers)

    async def _fixed_body(self, delivery: Claimed) -> str | None:
        """What all attempts send, kept before the first."""
        database = self._services.database
        # A replica may not have seen yet what the notice is of.
        async with self._reading:
            task = await find_details(database, delivery.team_id, delivery.task_id, fresh=True)
            if task is None:
                return None  # Deleted, and the delivery with it.
            body = body_of(delivery, self._views.task(task))
        return body if await deliveries.fix_body(database, delivery, body) else None

    def _secret(self, delivery: Claimed) -> str:
        place = (
            place_of_callbacks(delivery.team_id)
            if delivery.webhook_id is None
            else place_of_webhook(delivery.team_id, delivery.webhook_id)
        )
        box = self._services.box
        opened = None
        if box is not None and delivery.sealed is not None:
            opened = box.open(delivery.sealed, place)
        if opened is None:
            raise SecretUnreadable
        return opened

    def _note_silence(self, target: str, outcome: Outcome) -> None:
        if outcome.sent.status is not None:
            self._silent.discard(target)
        elif len(self._silent) < _MAX_SILENT:
            self._silent.add(target)

    async def _fail(self, delivery: Claimed, outcome: Outcome) -> None:
        sent, database = outcome.sent, self._services.database
        log.info(
            "webhook.failed",
            delivery_id=str(delivery.id),
            task_id=str(delivery.task_id),
            reason=sent.error,
        )
        # Before what is written of the delivery: whoever dies in between has it done again.
        if outcome.is_gone:
            await self._switch_off(delivery, "it answered 410, that it is gone")
        elif delivery.failing_seconds >= _NEARLY * self._options.off_seconds:
            await self._switch_off(delivery, f"{sent.error}, and so for longer than it may")
        left_seconds = self._options.retry_seconds - delivery.age_seconds - sent.duration_ms / 1_000
        if outcome.is_gone:
            reason = sent.error if delivery.webhook_id is None else SWITCHED_OFF
            await deliveries.given_up(database, delivery, sent, reason or "")
        elif left_seconds > 0:
            pause_seconds = min(self._pause_seconds(delivery, outcome), left_seconds)
            await deliveries.postponed(database, delivery, sent, pause_seconds)
        else:
            reason = f"It was tried for {self._options.retry_seconds:g} s. Last: {sent.error}"
            await deliveries.given_up(database, delivery, sent, reason)

    def _pause_seconds(self, delivery: Claimed, outcome: Outcome) -> float:
        pauses = self._backoff.pauses(random.uniform)
        own_seconds = next(islice(pauses, delivery.tries, None))
        return max(own_seconds, outcome.retry_after_seconds or 0.0)

    async def _switch_off(self, delivery: Claimed, reason: str) -> None:
        if delivery.webhook_id is None:
            return
        off = SwitchedOff(
            delivery.team_id, delivery.webhook_id, delivery.task_id, delivery.run, reason
        )
        if await webhook_switched_off(self._services.database, off):
            log.warning("webhook.switched_off", webhook_id=str(off.webhook_id), reason=reason)
