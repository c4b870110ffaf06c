"""Where an MCP server's name leads: judged once for a connection, which then goes nowhere else.

A name server that gives another answer a moment later (DNS rebinding) changes nothing.
"""

import socket

from activities.inputs.addresses import is_private, is_public
from activities.inputs.https import MAX_ADDRESSES, Resolve
from workflows.errors import McpNotAllowed, McpUnavailable


async def judged_addresses(
    server: str, host: str, port: int, resolve: Resolve, *, is_inside: bool
) -> list[str]:
    """The addresses of a host, once all of them are known to be harmless.

    Those of one that is inside the house may be private; none may be link-local, where clouds
    give away the secrets of machines.

    Raises:
        McpNotAllowed: one of them is not such.
        McpUnavailable: the name cannot be resolved.
    """
    try:
        addresses = await resolve(host, port)
    except socket.gaierror as error:
        reason = f"the name {host!r} cannot be resolved"
        raise McpUnavailable(server=server, reason=reason) from error
    for address in addresses:
        if not is_public(address) and not (is_inside and is_private(address)):
            reason = f"{host!r} has the address {address}, which is not a public one."
            raise McpNotAllowed(server=server, reason=reason, setting="AGENTOS_PRIVATE_HOSTS")
    return addresses[:MAX_ADDRESSES]
