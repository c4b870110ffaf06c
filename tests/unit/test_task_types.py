"""Every type of task is known to all who must know it."""

from activities.kinds.table import KINDS
from api.cli.kinds.agent import AgentKind
from api.cli.kinds.plain import PlainKind
from api.cli.kinds.table import KINDS as TERMINAL_KINDS
from api.cli.kinds.table import kind_of
from api.tasks.kinds.table import KINDS as SERVED_KINDS
from worker.host import task_workflows
from workflows.open_values import Unknown
from workflows.states import TaskType


def test_every_type_has_a_kind_that_the_api_serves_and_the_terminal_draws() -> None:
    assert set(SERVED_KINDS) == set(TERMINAL_KINDS) == set(TaskType)


def test_every_type_can_be_submitted_but_what_an_agent_that_stays_does() -> None:
    assert set(KINDS) == set(TaskType) - {TaskType.EXCHANGE}


def test_workers_host_the_workflow_of_every_type() -> None:
    assert {kind.workflow for kind in KINDS.values()} == set(task_workflows())


def test_a_type_that_is_not_known_has_a_plain_kind_on_the_terminal() -> None:
    assert type(kind_of(Unknown("dream"))) is PlainKind
    assert isinstance(kind_of(TaskType.AGENT), AgentKind)
