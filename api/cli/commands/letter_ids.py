"""Dead letters named by the beginning of their ids, as people do."""

import re
from uuid import UUID

from api.cli.commands.pages import page_after_page
from api.cli.commands.task_ids import LEAST_CHARACTERS
from api.cli.errors import LetterIdAmbiguous, LetterIdMalformed, LetterIdUnknown
from api.client import AsyncClient as Client
from api.client.transport import Params
from api.wire.responses.pages import MAX_PAGE
from workflows.states import LetterState

# How many of the newest ones are looked at, whatever was done about them.
SEARCHED_LETTERS = 2_000
_SHOWN = 3
_HEX = re.compile(r"[0-9a-f-]+")


async def find_letter_id(client: Client, text: str) -> str:
    """The id of the one dead letter whose id begins with ``text``; a whole id is taken as it is.

    Raises:
        LetterIdMalformed, LetterIdAmbiguous, LetterIdUnknown
    """
    wanted = text.strip().lower()
    try:
        return str(UUID(wanted))
    except ValueError:
        pass
    if not _HEX.fullmatch(wanted) or len(wanted.replace("-", "")) < LEAST_CHARACTERS:
        raise LetterIdMalformed(text=text)
    found, searched = [], 0
    query: Params = {"limit": MAX_PAGE, "state": tuple(state.value for state in LetterState)}
    async for page in page_after_page(client.dead_letters, query):
        ids = [str(letter.id) for letter in page.items]
        found += [each for each in ids if each.replace("-", "").startswith(wanted.replace("-", ""))]
        searched += len(ids)
        if searched >= SEARCHED_LETTERS:
            break
    if not found:
        raise LetterIdUnknown(count=f"{searched:,}", text=wanted)
    if len(found) > 1:
        shown = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
        raise LetterIdAmbiguous(count=len(found), text=wanted, shown=shown)
    return found[0]
