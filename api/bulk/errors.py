"""Why a bulk run is refused."""

from api.errors import RequestRefused


class TooManyLetters(RequestRefused):
    """More than {limit} open dead letters match, which is the limit of one bulk run. Narrow the
    filter, such as by `fingerprint` or `created_before`, and start one bulk run after the other."""

    status = 422


class TooManyTasks(RequestRefused):
    """More than {limit} tasks match, which is the limit of one bulk run. Narrow the filter, such as
    by `created_before`, and start one bulk run after the other."""

    status = 422


class TooManyBulkRuns(RequestRefused):
    """Your team has {limit} bulk runs under way, which is the limit. Wait until one has ended, or
    abort one: `agentos bulk ls`."""

    status = 409


class BulkConflict(RequestRefused):
    """Bulk run {id} cannot be aborted: it is {state}."""

    status = 409
