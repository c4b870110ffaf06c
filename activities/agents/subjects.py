"""What the calls of a turn are about, for those who look at it in Temporal: a skill, a script.

Arguments are the model's words, so only names of what is installed here are told.
"""

from dataclasses import replace

from activities.agents.answer import Judged, SoundCall
from activities.skills.catalogue import Catalogue
from activities.tools.options import Need
from workflows.errors import AgentOSError

_CHARACTERS = 100


async def name_subjects(judged: Judged, catalogue: Catalogue) -> None:
    judged.calls[:] = [
        replace(sound, subject=(await _subject(sound, catalogue))[:_CHARACTERS])
        for sound in judged.calls
    ]


async def _subject(sound: SoundCall, catalogue: Catalogue) -> str:
    native, skill = sound.tool.native, sound.arguments.get("skill")
    if native is None or native.need is not Need.SKILLS or not isinstance(skill, str):
        return ""
    script = sound.arguments.get("script")
    try:
        if sound.tool.call_type != "skill":
            return (await catalogue.find(skill)).name
        found, entry = await catalogue.find_script(skill, str(script) if script else None)
    except AgentOSError:
        return ""  # The call itself says what is wrong.
    return f"{found.name}/{entry.path.rpartition('/')[2]}"
