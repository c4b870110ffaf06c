"""Our own services, and what they keep."""

from workflows.errors import AgentOSError, TemporaryFailure


class DatabaseOutdated(TemporaryFailure):
    """The tables of the database are not up to date. Run `agentos migrate`."""


class DatabaseRefused(AgentOSError):
    """The database refused: {reason}. Check AGENTOS_DATABASE_URL, and that the server allows this
    user and this address to connect."""


class RowsRefused(AgentOSError):
    """The database refused the rows of the table {table}: {reason}."""


class DatabaseNewer(AgentOSError):
    """The database contains the {kind} {value!r}, which this version of AgentOS does not know,
    because the database is newer. Run the version that last migrated it."""


class PayloadKeyMissing(TemporaryFailure):
    """What Temporal keeps of a task is encrypted with the key {key}, which this process does not
    have. Add that key to AGENTOS_CODEC_KEY (several are separated by commas), and restart it. The
    task waits until then."""


class PayloadUnreadable(AgentOSError):
    """What Temporal keeps of a task cannot be decrypted with its key {key}: it was changed by
    somebody else, or was damaged."""


class StoreRefused(AgentOSError):
    """The S3 store refused: {reason}. Check the bucket and the keys in AGENTOS_S3_*."""


class BlobCorrupt(AgentOSError):
    """The stored file with SHA-256 {sha256} is damaged: its bytes do not match. Upload the file
    again, or rerun the step that made it."""
