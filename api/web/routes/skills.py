"""Skills: what is installed, and what each of them says and holds."""

from typing import Annotated
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from markupsafe import Markup

from activities.off_loop import off_loop
from activities.skills.metadata import skill_file_in
from api.errors import SkillFileNotText
from api.http.dependencies import ServicesDep, TeamDep
from api.http.routes.skills import get_skill, get_skill_file, list_skills
from api.services import Services
from api.web.page import pages, render
from api.web.skill_texts import body_of
from api.web.text.code import highlight
from api.web.text.markdown import markdown
from api.wire.responses.base import API
from api.wire.responses.skills import Skill, SkillList

router = pages()

# More is neither coloured nor sent with a page.
SHOWN_CHARACTERS = 32 * 1024


@router.get("/skills")
async def skills_page(
    request: Request,
    skills: Annotated[SkillList, Depends(list_skills)],
    text: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """List them, with a search."""
    words = text.lower().split()
    found = [
        skill
        for skill in skills.items
        if all(word in f"{skill.name} {skill.description}".lower() for word in words)
    ]
    return render(
        request, "skills/skills.html", skills=skills, found=found, text=text, address_of=address_of
    )


@router.get("/skills/{name}")
async def skill_page(
    request: Request,
    services: ServicesDep,
    team_id: TeamDep,
    skill: Annotated[Skill, Depends(get_skill)],
    file: Annotated[str | None, Query(max_length=1_000)] = None,
) -> Response:
    """Show what it says of itself, or one of its files."""
    path = file or skill_file_in(skill.files) or ""
    source, problem = await _text(services, team_id, skill.name, path)
    is_cut = len(source) > SHOWN_CHARACTERS
    shown = source[:SHOWN_CHARACTERS]
    return render(
        request,
        "skills/skill.html",
        skill=skill,
        path=path,
        is_main=file is None,
        is_cut=is_cut,
        problem=problem,
        content=await off_loop(_drawn, shown, path),
        is_markdown=path.endswith(".md"),
        raw=f"{API}/skills/{quote(skill.name, safe='')}/files/{quote(path)}",
        address_of=address_of,
    )


def _drawn(source: str, path: str) -> Markup:
    return markdown(body_of(source)) if path.endswith(".md") else highlight(source, name=path)


async def _text(services: Services, team_id: UUID, name: str, path: str) -> tuple[str, str]:
    """The text of a file, and why there is none."""
    try:
        return (await get_skill_file(name, path, services, team_id)).text, ""
    except SkillFileNotText as error:
        return "", str(error)


def address_of(name: str, file: str | None = None) -> str:
    query = f"?{urlencode({'file': file})}" if file else ""
    return f"/skills/{quote(name, safe='')}{query}"
