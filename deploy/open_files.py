"""How many files, and so connections, this process may have open."""

import resource

import structlog

# For all but viewers: other calls, the pools of PostgreSQL and S3, MCP servers, uploads.
RESERVED_FILES = 512
# The connections among them that are not viewers'.
CALLERS = 256

log = structlog.get_logger(__name__)


def viewers_allowed(wanted: int) -> int:
    """Raise the limit on open files so that ``wanted`` clients may follow events, or as far as the
    system allows. Gives how many may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _least(hard, wanted + RESERVED_FILES)
    if _least(soft, most) < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    allowed = max(1, min(wanted, most - RESERVED_FILES))
    if allowed < wanted:
        log.warning("viewers.limited", wanted=wanted, allowed=allowed, open_files=most)
    return allowed


def _least(limit: int, number: int) -> int:
    return number if limit == resource.RLIM_INFINITY else min(limit, number)
