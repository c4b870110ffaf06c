"""Why a group is not made or changed."""

from api.errors import RequestRefused


class GroupNameTaken(RequestRefused):
    """There is a group {name!r} already. Choose another name, or delete that one."""

    status = 409


class TooManyGroups(RequestRefused):
    """Your team has {most:,} groups, which is the limit. Delete one first."""

    status = 409


class TooManyMembers(RequestRefused):
    """A group may have {most} members. Let some go, or make another group."""

    status = 409
