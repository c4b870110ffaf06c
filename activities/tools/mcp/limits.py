"""How much a server may say. Beyond these it is a fault or an attack, and memory is shared."""

from activities.units import KIBIBYTE, MEBIBYTE

# One message of the protocol, such as a result with its images.
MAX_MESSAGE_BYTES = 16 * MEBIBYTE
# In one message. Each costs microseconds of everybody's time and up to a hundred bytes.
MAX_VALUES = 200_000
# Beside the answers to what it was asked.
MAX_MESSAGES_PER_SECOND = 200
MAX_MESSAGES_AT_ONCE = 5_000

MAX_TOOLS = 256
MAX_LIST_PAGES = 64
MAX_TOOL_NAME_CHARACTERS = 128  # as the protocol advises
MAX_DESCRIPTION_CHARACTERS = 8 * KIBIBYTE
MAX_SCHEMA_BYTES = 64 * KIBIBYTE
MAX_SCHEMA_DEPTH = 100
MAX_REFUSALS = 20

MAX_CONTENT_PARTS = 256
MAX_FILES = 64
MAX_TEXT_CHARACTERS = 2 * MEBIBYTE

# `npx` and `uvx` may have to fetch the program first, for which a setting gives more.
START_SECONDS = 60.0
LONGEST_START_SECONDS = 1_800.0
LISTING_TIMEOUT_SECONDS = 30.0
# Signs of progress keep a call alive no longer than this.
LONGEST_CALL_SECONDS = 24 * 3_600.0
