"""Fields of agents that stay, laid over those of a template or of what they were."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from api.residents.defining import digest_of, overlaid
from api.wire.agent_requests import AgentChange, MessageRequest
from workflows.definitions.resident import Resident

Fields = dict[str, JsonValue]

_TEXT = st.text(max_size=5)
_PROFILE = st.fixed_dictionaries({}, optional={"role": _TEXT, "goal": _TEXT, "tone": _TEXT})
_LIMITS = st.fixed_dictionaries(
    {}, optional={"turns": st.integers(1, 99), "hops": st.integers(1, 99)}
)
_NAMES = st.none() | st.lists(st.sampled_from(["a", "b"]), max_size=2)
FIELDS = st.fixed_dictionaries(
    {},
    optional={"profile": _PROFILE, "limits": _LIMITS, "skills": _NAMES, "tools": _NAMES},
)
_NESTED = ("profile", "limits")


@given(FIELDS, FIELDS)
def test_what_is_given_wins_and_all_else_stays(base: Fields, over: Fields) -> None:
    laid = overlaid(base, over)
    assert laid.keys() == base.keys() | over.keys()
    for name in laid:
        below, above, found = base.get(name), over.get(name), laid[name]
        if name in _NESTED:
            assert found == {**(below or {}), **(above or {})}  # type: ignore[dict-item]
        else:
            assert found == (above if name in over else below)
    Resident.model_validate(laid)


@given(FIELDS)
def test_nothing_laid_over_changes_nothing_and_a_repeat_neither(base: Fields) -> None:
    assert overlaid(base, {}) == base
    assert overlaid(overlaid(base, base), base) == base


@given(FIELDS)
def test_a_request_says_what_was_said_and_nothing_else(said: Fields) -> None:
    assert AgentChange.model_validate(said).given == said


def test_a_null_says_nothing_of_profile_and_limits_and_everything_of_names() -> None:
    nulls = {"profile": None, "limits": None, "skills": None, "tools": None, "model": None}
    given = AgentChange.model_validate(nulls).given
    assert given == {"skills": None, "tools": None, "model": None}


def test_requests_that_mean_the_same_have_one_digest_and_others_another() -> None:
    plain = MessageRequest(content="a")
    spelled = MessageRequest.model_validate({"content": "a", "mode": "queue", "from": None})
    assert digest_of(plain) == digest_of(spelled)
    assert digest_of(plain) != digest_of(MessageRequest(content="b"))
