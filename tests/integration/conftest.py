from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, make_url

from activities.store.database import Database
from deploy.local.services import Services
from tests.integration.agent_stage import ObedientAgents, agent_stage, working_agents
from tests.integration.api_stage import Stage, api_stage

NEVER = 3_600.0  # seconds


@pytest.fixture(scope="session")
def skills_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A skill of one script, one of two, one with none, and a broken one."""
    folder = tmp_path_factory.mktemp("skills")
    for name, scripts in (("greet", ("hello.py",)), ("two", ("a.py", "b.py")), ("mute", ())):
        (folder / name / "scripts").mkdir(parents=True)
        (folder / name / "SKILL.md").write_text(
            f"---\nname: {name}\ndescription: A skill for tests.\n---\n"
        )
        for script in scripts:
            (folder / name / "scripts" / script).write_text("print('hello')\n")
    (folder / "broken").mkdir()
    (folder / "broken" / "SKILL.md").write_text("---\nname: broken\n---\n")
    return folder


@pytest.fixture(scope="package")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API with a worker that obeys, shared: each test makes tasks of its own."""
    async with api_stage(infrastructure, skills_folder, sweep_interval_seconds=1.0) as stage:
        yield stage


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def agents_stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API of a module's own, whose passes rest and whose workers are called when wanted."""
    resting = {"sweep_interval_seconds": NEVER, "bulk_interval_seconds": NEVER}
    async with agent_stage(infrastructure, skills_folder, **resting) as stage:
        yield stage


@pytest.fixture
async def working(agents_stage: Stage) -> AsyncIterator[ObedientAgents]:
    async with working_agents(agents_stage) as agents:
        yield agents


@pytest.fixture
def queries(database_url: str) -> Iterator[list[str]]:
    """The statements that are sent to the database of this test from now on.

    Engines of other tests' stacks live in this process too: their sweepers ask when they please.
    """
    sent: list[str] = []

    def note(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if connection.engine.url.database == make_url(database_url).database:
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)
