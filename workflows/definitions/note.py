"""What bounds the notes of an agent that stays."""

MAX_NOTES = 1_000
MAX_NOTE_CHARACTERS = 4_000
# Of a search among them.
MAX_QUERY_CHARACTERS = 1_000
