from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doubles.scripted_models import ScriptedModels
from tests.e2e.readme_tools import write_tools
from tests.live import Live, live_stack
from tests.live_models import modelled_stack


@pytest.fixture(scope="package")
def own_skills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``live`` looks for skills, beside those that are built in."""
    return tmp_path_factory.mktemp("skills")


@pytest.fixture(scope="package")
async def live(tmp_path_factory: pytest.TempPathFactory, own_skills: Path) -> AsyncIterator[Live]:
    """The whole stack, shared by the tests of this folder. It has the offline model,
    and the tools of the README."""
    settings = {
        "AGENTOS_APPROVAL_SECONDS": "2",
        "AGENTOS_SKILLS_PATH": str(own_skills),
        "AGENTOS_TOOLS_PATH": str(write_tools(tmp_path_factory.mktemp("tools"))),
    }
    async with live_stack(tmp_path_factory.mktemp("live"), **settings) as live:
        yield live


@pytest.fixture(scope="package")
async def agents_live(
    models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    """A stack of this folder with the models of ``modelled_stack``."""
    async with modelled_stack(tmp_path_factory.mktemp("agents"), models) as live:
        yield live
