"""The skills that an agent may use, as if there were no others."""

import asyncio
from collections.abc import Collection, Mapping

from activities.skills.catalogue import Catalogue
from activities.skills.metadata import Skill
from workflows.errors.skills import SkillNotFound
from workflows.suggestions import nearest

NAMES_SHOWN = 20
NAME_SHOWN_CHARACTERS = 100


class AllowedSkills:
    """``names`` are those of ``Agent.skills``: None allows every skill."""

    def __init__(self, catalogue: Catalogue, names: Collection[str] | None) -> None:
        self._catalogue = catalogue
        self._names = names

    async def all(self) -> Mapping[str, Skill]:
        """By name, sorted."""
        skills = await self._catalogue.skills()
        return {name: skill for name, skill in skills.items() if self._allows(name)}

    async def find(self, name: str) -> Skill:
        """Raises ``SkillNotFound``, also for what is not allowed, or ``SkillRefused``."""
        await self._check(name)
        return await self._catalogue.find(name)

    async def read(self, name: str, path: str) -> str:
        """The text of one of a skill's files. Raises as ``find`` and ``Catalogue.read`` do."""
        await self._check(name)
        return await self._catalogue.read(name, path)

    async def _check(self, name: str) -> None:
        if not self._allows(name):
            known = list(await self.all())
            near = await asyncio.to_thread(nearest, name, known)
            names = ", ".join(known[:NAMES_SHOWN]) or "none"
            suggestion = f"Did you mean {near}?" if near else f"Skills: {names}."
            raise SkillNotFound(skill=name[:NAME_SHOWN_CHARACTERS], suggestion=suggestion)

    def _allows(self, name: str) -> bool:
        return self._names is None or name in self._names
