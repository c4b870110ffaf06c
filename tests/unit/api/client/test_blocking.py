"""The client that is not asynchronous has every call of the one that is."""

import inspect

import pytest

from api.client import AsyncClient, Client, blocking
from api.client.agent_memory import AgentMemory
from api.client.agent_streams import AgentStreams
from api.client.agents import Agents
from api.client.blocking_calls import Blocking, Iterating
from api.client.groups import Groups
from api.client.reminders import Reminders
from api.client.uploads import Uploads

_OWN = {"close"}


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        (AsyncClient, Client),
        (Agents, blocking.Agents),
        (AgentMemory, blocking.AgentMemory),
        (AgentStreams, blocking.AgentStreams),
        (Groups, blocking.Groups),
        (Reminders, blocking.Reminders),
        (Uploads, blocking.Uploads),
    ],
    ids=lambda part: part.__name__,
)
def test_every_asynchronous_call_has_one_that_is_not(inner: type, outer: type) -> None:
    for name, call in inspect.getmembers(inner, inspect.isfunction):
        if name.startswith("_") or name in _OWN:
            continue
        wanted = Iterating if inspect.isasyncgenfunction(call) else Blocking
        found = inspect.getattr_static(outer, name)
        assert isinstance(found, wanted), name
        assert inspect.signature(found) == inspect.signature(call)
        assert found.__doc__ == call.__doc__


def test_every_part_of_the_asynchronous_client_is_one_of_the_other() -> None:
    with Client("http://127.0.0.1:1") as client:
        wanted = {name for name in vars(client._inner) if not name.startswith("_")}
        assert wanted == {name for name in vars(client) if not name.startswith("_")}
