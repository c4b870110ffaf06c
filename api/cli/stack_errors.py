"""What can go wrong with the API of a stack that was found by its folder."""

from api.client.errors import ApiUnreachable


class StackApiAway(ApiUnreachable):
    """The API of `agentos up` on {data_dir} does not answer at {url} ({reason}). While `up` runs,
    it is started again by itself: try again in a moment. `agentos status` shows how it is."""
