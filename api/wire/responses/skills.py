"""Skills, and folders that could not be read as one."""

from api.wire.responses.base import Answer
from api.wire.responses.pages import Page


class SkillSummary(Answer):
    name: str
    description: str
    scripts: list[str]
    warnings: list[str]


class Skill(SkillSummary):
    digest: str
    files: list[str]
    license: str | None
    compatibility: str | None
    metadata: dict[str, str]
    allowed_tools: list[str]


class SkillText(Answer):
    """One of a skill's files. What is no UTF-8 in ``text`` is replaced."""

    path: str
    text: str


class RefusedSkill(Answer):
    folder: str
    reason: str


class SkillList(Page[SkillSummary]):
    """``refused`` lists folders that look like skills but cannot be used, and why."""

    refused: list[RefusedSkill]
