"""Counting what models are asked, and what that takes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from activities.llm.base import Usage
from activities.metrics.definitions import MODEL_DOLLARS, MODEL_SECONDS, MODEL_TOKENS
from activities.metrics.numbers import Numbers
from workflows.errors import AgentOSError


@dataclass(frozen=True, slots=True)
class ModelUses:
    numbers: Numbers

    @contextmanager
    def request(self, model: str) -> Iterator[None]:
        """One request, whatever comes of it."""
        started, end = time.monotonic(), "cancelled"
        try:
            yield
            end = "ok"
        except AgentOSError:
            end = "failed"
            raise
        finally:
            self.numbers.observe(MODEL_SECONDS, time.monotonic() - started, model, end)

    def used(self, model: str, usage: Usage, cost_usd: float) -> None:
        for kind, tokens in (
            ("input", usage.prompt_tokens),
            ("cached", usage.cached_tokens),
            ("output", usage.completion_tokens),
        ):
            self.numbers.count(MODEL_TOKENS, model, kind, by=tokens)
        self.numbers.count(MODEL_DOLLARS, model, by=cost_usd)
