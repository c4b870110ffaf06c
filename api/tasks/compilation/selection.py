"""Which calls of a run count: those whose effects are still there at its end, or were needed."""

from collections.abc import Sequence
from uuid import UUID

from api.tasks.compilation.files import Made
from api.tasks.compilation.natures import Nature, Tools
from api.tasks.compilation.readings import Reading


def selected(readings: Sequence[Reading], tools: Tools) -> list[Reading]:
    """The calls that a pipeline must make again, in their order; all of ``readings`` succeeded.

    A call is left out when later ones that count have made all of its files anew, and none has used
    them. So is code that left no file, which is a look, unless no call has left any: then what it
    printed is the result.
    """
    has_files = any(_files(reading) for reading in readings)
    needed: set[UUID] = set()
    replaced: set[tuple[UUID, str]] = set()
    chosen: list[Reading] = []
    for reading in reversed(readings):
        files = _files(reading)
        if not files:
            counts = reading.nature is not Nature.CODE or not has_files
        else:
            counts = any(key in needed or name not in replaced for key, name in files.items())
        # What a server did is done, whatever became of the files.
        if counts or not tools.is_local(reading.call):
            chosen.append(reading)
            needed |= {source.file.id for source in reading.sources if isinstance(source, Made)}
            replaced |= set(files.values())
    return chosen[::-1]


def _files(reading: Reading) -> dict[UUID, tuple[UUID, str]]:
    """What a call made, by the run and the name, without what it said and was kept because of its
    length."""
    task_id = reading.run.task_id
    return {made.file.id: (task_id, made.file.name) for made in reading.made if not made.is_printed}
