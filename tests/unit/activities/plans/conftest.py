"""What a plan has to be fit for, without any service: nothing here asks one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from activities.plans.ability import Ability
from activities.plans.checking import Ground
from activities.skills.catalogue import Catalogue
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.options import S3Options
from activities.tools.offered import OfferedTool, allowed_tools, native_tools
from activities.tools.registry import Registry
from activities.tools.skills import AllowedSkills
from tests.equipment import equipment, installed
from tests.unit.conftest import MakeSkill
from workflows.definitions.plan import Plan
from workflows.states import Permission

# No connection is made before it is needed.
DATABASE = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
BLOBS = Blobs(S3Options("http://127.0.0.1:1", "bucket", "key", "secret"))
SERVERS = ("mcp.time.now", "mcp.time.convert", "mcp.git.log")

MakeGround = Callable[..., Any]


def server_tool(name: str) -> OfferedTool:
    return OfferedTool(name, "Does something.", {"type": "object"})


@pytest.fixture
def make_ground(tmp_path: Path, make_skill: MakeSkill) -> MakeGround:
    """What a plan of this definition stands on: there are the skills ``greet`` and ``count``, and
    the tools of ``servers``; ``asking`` are tools of which each call is approved by a person."""
    for name in ("greet", "count"):
        make_skill(name, {"scripts/run.py": "print('hello')\n"})

    async def make(
        definition: dict[str, Any] | None = None,
        *,
        inputs: tuple[str, ...] = ("sales",),
        servers: tuple[str, ...] = SERVERS,
        asking: tuple[str, ...] = (),
        context_tokens: int = 128_000,
    ) -> Ground:
        plan = Plan.model_validate(definition or {})
        equipped = equipment(DATABASE, BLOBS, tmp_path, skills=tmp_path / "skills")
        active = native_tools(Registry(), {}) | {name: server_tool(name) for name in servers}
        for name in asking:
            active[name] = replace(active[name], permission=Permission.ASK)
        skills = await AllowedSkills(Catalogue([tmp_path / "skills"]), plan.agent.skills).all()
        offered = allowed_tools(active, plan.agent, has_search=False)
        ability = Ability.of(offered, skills, context_tokens)
        return Ground(installed(equipped), DEFAULT_TEAM, plan, inputs, ability)

    return make
