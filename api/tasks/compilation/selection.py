"""Which calls of a run count: those whose effects are still there at its end, or were needed."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from activities.store.reading.runs import RecordedCall
from api.tasks.compilation.files import Made, ended_before
from api.tasks.compilation.natures import Nature, Tools
from api.tasks.compilation.readings import Reading


def selected(readings: Sequence[Reading], tools: Tools) -> list[Reading]:
    """The calls that a pipeline must make again, in their order; all of ``readings`` succeeded.

    A call is left out when later ones that count have made all of its files anew, and none has used
    them. So is code that left no file, which is a look, unless no call of its run has left any:
    then what it printed is the result. Steps of pipelines count, all of them.
    """
    with_files = {reading.run.task_id for reading in readings if _files(reading)}
    needed: set[UUID] = set()
    makers: defaultdict[tuple[UUID, str], list[RecordedCall]] = defaultdict(list)
    chosen: list[Reading] = []
    for reading in reversed(readings):
        files = _files(reading)
        if reading.step is not None:
            counts = True
        elif not files:
            is_look = reading.nature is Nature.CODE and reading.run.task_id in with_files
            counts = not is_look
        else:
            counts = any(
                key in needed or not _is_replaced(reading.call, makers[name])
                for key, name in files.items()
            )
        # What a server did is done, whatever became of the files.
        if counts or not tools.is_local(reading.call):
            chosen.append(reading)
            needed |= {source.file.id for source in reading.sources if isinstance(source, Made)}
            for name in files.values():
                makers[name].append(reading.call)
    return chosen[::-1]


def _is_replaced(call: RecordedCall, others: Sequence[RecordedCall]) -> bool:
    """Whether one of the others made its file after this call had ended."""
    return any(other.turn > call.turn or ended_before(call, other) for other in others)


def _files(reading: Reading) -> dict[UUID, tuple[UUID, str]]:
    """What a call made, by the run and the name, without what it said and was kept because of its
    length."""
    task_id = reading.run.task_id
    return {made.file.id: (task_id, made.file.name) for made in reading.made if not made.is_printed}
