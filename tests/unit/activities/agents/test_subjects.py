"""What a call is said to be about in Temporal: what is installed, and no word of a model's."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from activities.agents.answer import Judged, SoundCall
from activities.agents.subjects import name_subjects
from activities.llm.base import ToolRequest
from activities.skills.catalogue import Catalogue
from activities.tools.offered import OfferedTool
from activities.tools.registry import Registry

SKILLS = Path(__file__).parents[4] / "skills"


def sound(tool: str, **arguments: JsonValue) -> SoundCall:
    native = Registry().find(tool)
    offered = OfferedTool(tool, native.description, native.schema, native=native)
    return SoundCall(3, ToolRequest("c1", tool, "{}"), offered, arguments)


@pytest.mark.parametrize(
    ("call", "title"),
    [
        (
            sound("run_skill_script", skill="csv-clean", script="scripts/clean.py"),
            "run_skill_script csv-clean/clean.py",
        ),
        (sound("run_skill_script", skill="csv-clean"), "run_skill_script csv-clean/clean.py"),
        (sound("run_skill_script", skill="a secret"), "run_skill_script"),
        (sound("run_skill_script", skill="csv-clean", script="a secret"), "run_skill_script"),
        (sound("load_skill", skill="csv-clean"), "load_skill csv-clean"),
        (sound("write_file", name="a secret", text="x"), "write_file"),
    ],
    ids=["script", "only-script", "no-skill", "no-script", "load", "file"],
)
async def test_a_call_is_about_a_skill_that_is_there(call: SoundCall, title: str) -> None:
    judged = Judged(calls=[call])
    await name_subjects(judged, Catalogue([SKILLS]))
    assert judged.calls[0].planned(1).title == title
