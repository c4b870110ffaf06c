"""Dead letters as tables."""

from collections.abc import Iterator, Sequence

from api.cli.commands.printing import Cell, print_fields, print_table, short_id, when
from api.cli.display.amounts import dollars, duration
from api.wire.responses.dead_letters import DeadLetter, DeadLetterGroup


def print_letters(letters: Sequence[DeadLetter]) -> None:
    columns = ("ID", "TASK", "NAME", "STEP", "ERROR", "STATE", "CREATED")
    rows = [
        (
            short_id(letter.id),
            short_id(letter.task_id),
            letter.name,
            letter.sub_task or "",
            str(letter.error.get("code", "")),
            letter.state.value,
            when(letter.created_at),
        )
        for letter in letters
    ]
    print_table(columns, rows, cut="NAME", spare=("CREATED", "STATE", "STEP", "TASK"))


def print_groups(groups: Sequence[DeadLetterGroup]) -> None:
    columns = ("FINGERPRINT", "COUNT", "STEP", "ERROR", "MESSAGE", "FIRST", "LAST", "EXAMPLE")
    rows = [
        (
            group.fingerprint,
            str(group.count),
            group.parts.step or group.parts.type.value,
            group.parts.code,
            group.parts.message,
            when(group.first_at),
            when(group.last_at),
            short_id(group.example),
        )
        for group in groups
    ]
    spare = ("FIRST", "EXAMPLE", "STEP", "LAST", "ERROR")
    print_table(columns, rows, cut="MESSAGE", spare=spare)


def print_letter(letter: DeadLetter) -> None:
    print_fields([(label, value) for label, value in _fields(letter) if value])


def _fields(letter: DeadLetter) -> Iterator[tuple[str, Cell]]:
    usage, parts = letter.usage, letter.parts
    yield "Dead letter", str(letter.id)
    yield "State", letter.state.value
    yield "Task", f"{letter.task_id} (run {letter.run})"
    yield "Name", letter.name
    yield "Type", letter.type.value
    yield "Step", letter.sub_task or ""
    yield "Runs", parts.runs or ""
    yield "Error", str(letter.error.get("message", ""))
    yield "Detail", str(letter.error.get("detail") or "")
    yield "Attempts", str(letter.attempts)
    yield "Took", duration(usage.seconds)
    yield "Tokens", f"{usage.tokens:,}" if usage.tokens else ""
    yield "Cost", dollars(usage.cost_usd) if usage.cost_usd else ""
    yield "Fingerprint", f"{letter.fingerprint} (version {parts.version})"
    yield "  code", parts.code
    yield "  message", parts.message
    yield "Created", when(letter.created_at)
    yield "Ended", when(letter.ended_at)
    yield "By", letter.ended_by or ""
    yield "Note", letter.note
