"""Which errors count as failures of what was called."""

import asyncio
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import activities
import workflows.errors
from activities.attempts.holding import Held
from activities.breakers.breaker import Outcome
from activities.breakers.judgement import Culprit, judgement_of, outcome_of
from workflows.discovery import modules_of
from workflows.errors import AgentOSError, agents, mcp, models, tools


def _below(kind: type[AgentOSError]) -> Iterator[type[AgentOSError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def errors_of_calls() -> list[type[AgentOSError]]:
    """Whatever code below a call defines."""
    for found in pkgutil.walk_packages(activities.__path__, "activities."):
        if found.name.endswith(".errors"):
            importlib.import_module(found.name)
    modules_of(workflows.errors)
    mine = {
        each
        for each in _below(AgentOSError)
        if each.__module__.startswith(("workflows.", "activities."))
    }
    return sorted(mine, key=lambda each: each.__name__)


@pytest.mark.parametrize("kind", errors_of_calls(), ids=lambda kind: kind.__name__)
def test_every_error_that_a_call_may_end_with_is_judged(kind: type[AgentOSError]) -> None:
    if kind is mcp.McpError:
        return  # It is a base only.
    assert judgement_of(kind) is not None, f"put {kind.__name__} into a table of judgement.py"


@pytest.mark.parametrize(
    ("error", "watched", "outcome"),
    [
        (None, Culprit.TOOL, Outcome.SOUND),
        (mcp.McpUnavailable(server="s", reason="gone"), Culprit.SERVER, Outcome.FAILED),
        (mcp.McpUnavailable(server="s", reason="gone"), Culprit.TOOL, Outcome.UNKNOWN),
        (mcp.McpStartTimedOut(server="s", seconds=1), Culprit.SERVER, Outcome.FAILED),
        (mcp.McpBusy(server="s", limit=1), Culprit.SERVER, Outcome.UNKNOWN),
        (
            mcp.McpTimedOut(server="s", tool="t", seconds=1),
            Culprit.TOOL,
            Outcome.FAILED,
        ),
        (
            mcp.McpTimedOut(server="s", tool="t", seconds=1),
            Culprit.SERVER,
            Outcome.UNKNOWN,
        ),
        (mcp.McpToolFailed(server="s", tool="t"), Culprit.TOOL, Outcome.SOUND),
        (tools.ToolArgumentsInvalid(tool="t", reason="r"), Culprit.TOOL, Outcome.UNKNOWN),
        (models.ModelOverloaded(model="m", reason="429"), Culprit.MODEL, Outcome.FAILED),
        (
            models.ModelRefused(model="m", reason="400", remedy="r"),
            Culprit.MODEL,
            Outcome.UNKNOWN,
        ),
        (
            models.ContextTooLong(model="m", reason="r"),
            Culprit.MODEL,
            Outcome.UNKNOWN,
        ),
        (agents.TokensUsedUp(used=1, limit=1), Culprit.MODEL, Outcome.UNKNOWN),
        (tools.SearchFailed(reason="wrong address"), Culprit.TOOL, Outcome.UNKNOWN),
        (Held(what="a slot", seconds=1), Culprit.TOOL, Outcome.UNKNOWN),
        (asyncio.CancelledError(), Culprit.TOOL, Outcome.UNKNOWN),
        (ZeroDivisionError(), Culprit.TOOL, Outcome.UNKNOWN),
    ],
    ids=lambda value: getattr(value, "value", type(value).__name__),
)
def test_only_what_was_called_can_fail(
    error: BaseException | None, watched: Culprit, outcome: Outcome
) -> None:
    assert outcome_of(error, watched) is outcome


def test_a_search_whose_provider_is_away_counts() -> None:
    failed = tools.SearchFailed(reason="503")
    failed.retryable = True
    assert outcome_of(failed, Culprit.TOOL) is Outcome.FAILED
