"""Skills: what is installed, and what is wrong with it."""

from activities.skills.metadata import Skill
from api.errors import NotFound, SkillFileNotText, did_you_mean
from api.http.dependencies import ServicesDep, TeamDep
from api.http.openapi import refusals
from api.http.routing import Routes
from api.wire.responses import skills as answers
from workflows.errors.skills import (
    SkillFileNotFound,
    SkillFileUnreadable,
    SkillNotFound,
    SkillRefused,
)

router = Routes(prefix="/skills", tags=["skills"])


@router.get("")
async def list_skills(services: ServicesDep, team_id: TeamDep) -> answers.SkillList:
    """List every skill with its scripts, and the folders that cannot be used."""
    skills = await services.catalogue.skills()
    refused = await services.catalogue.refused()
    return answers.SkillList(
        items=[answers.SkillSummary.model_validate(_summary(skill)) for skill in skills.values()],
        refused=[
            answers.RefusedSkill(folder=name, reason=str(error)) for name, error in refused.items()
        ],
    )


@router.get("/{name}")
async def get_skill(name: str, services: ServicesDep, team_id: TeamDep) -> answers.Skill:
    """Show a skill with its files and warnings."""
    try:
        skill = await services.catalogue.find(name)
    except SkillNotFound as error:
        hint = did_you_mean(name, await services.catalogue.skills())
        raise NotFound(kind="skill", id=repr(name[:100]), hint=hint) from error
    return answers.Skill.model_validate(
        {
            **_summary(skill),
            "digest": skill.digest,
            "files": skill.files,
            "license": skill.license,
            "compatibility": skill.compatibility,
            "metadata": skill.metadata,
            "allowed_tools": skill.allowed_tools,
        }
    )


@router.get("/{name}/files/{path:path}", responses=refusals(SkillFileNotText))
async def get_skill_file(
    name: str, path: str, services: ServicesDep, team_id: TeamDep
) -> answers.SkillText:
    """Show the text of one of a skill's files, of 1 MiB at most, by its path in the skill."""
    try:
        text = await services.catalogue.read(name, path)
    except SkillNotFound as error:
        hint = did_you_mean(name, await services.catalogue.skills())
        raise NotFound(kind="skill", id=repr(name[:100]), hint=hint) from error
    except SkillFileNotFound as error:
        hint = did_you_mean(path, (await services.catalogue.find(name)).files)
        place = f"{path[:100]!r} in skill {name!r}"
        raise NotFound(kind="file", id=place, hint=hint) from error
    except (SkillFileUnreadable, SkillRefused) as error:
        raise SkillFileNotText(reason=str(error)) from error
    return answers.SkillText(path=path, text=text)


def _summary(skill: Skill) -> dict[str, object]:
    return {
        "name": skill.name,
        "description": skill.description,
        "scripts": skill.scripts,
        "warnings": skill.warnings,
    }
