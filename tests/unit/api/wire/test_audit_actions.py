"""The actions of the audit log: those in the code, in the README, and those that commands know."""

import re

import pytest

from api.web.routes.audit import KINDS
from api.wire.audit_actions import ACTIONS, hint_on
from tests.folders import PROJECT

KNOWN = {f"{noun}.{verb}" for noun, verbs in ACTIONS.items() for verb in verbs}


def test_every_action_that_the_code_writes_down_is_known_to_the_commands() -> None:
    found = set[str]()
    for folder in ("activities", "api", "worker", "deploy"):
        for path in (PROJECT / folder).rglob("*.py"):
            found |= set(re.findall(r'Deed\(\s*"([^"]+)"', path.read_text()))
    assert len(found) > 30  # else the deeds are no longer found, and nothing is tested
    assert found - KNOWN == set()


def test_the_readme_and_the_page_have_the_actions_that_there_are() -> None:
    text = (PROJECT / "README.md").read_text()
    [section] = re.findall(r"^## The audit log\n(.*?)^## ", text, re.DOTALL | re.MULTILINE)
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([a-z_.]+)`", row)} == KNOWN
    assert set(KINDS) == set(ACTIONS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("task", None),
        ("task.cancelled", None),
        ("tsk", "No action is named 'tsk'. Did you mean task?"),
        ("task.canceled", "No action is named 'task.canceled'. Did you mean task.cancelled?"),
        ("cache.zzzzzzzz", "No action is named 'cache.zzzzzzzz'. Of cache there are: cleared."),
        ("zzz", f"No action is named 'zzz'. They begin with: {', '.join(ACTIONS)}."),
    ],
)
def test_what_may_have_been_meant_is_said_of_an_action_that_is_none(
    text: str, told: str | None
) -> None:
    assert hint_on(text) == told
