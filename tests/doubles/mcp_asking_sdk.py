"""An MCP server of the SDK's own making, on a port, whose tool asks a person two questions.

Its arguments are the port and a file, to which a call adds a line when it takes effect.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field

server = MCPServer("asking")
effects = Path(sys.argv[2])


class Guest(BaseModel):
    name: str = Field(min_length=2)
    vegetarian: bool = False


class Table(BaseModel):
    seats: int = Field(ge=1, le=8)
    place: Literal["inside", "outside"] = "inside"


def who() -> Elicit[Guest]:
    return Elicit("Who comes?", Guest)


def where() -> Elicit[Table]:
    return Elicit("Which table?", Table)


@server.tool()
def reserve(
    day: str, guest: Annotated[Guest, Resolve(who)], table: Annotated[Table, Resolve(where)]
) -> str:
    """Reserve a table."""
    line = f"{day} {guest.name} {guest.vegetarian} {table.seats} {table.place}"
    with effects.open("a") as target:
        target.write(f"{line}\n")
    return line


if __name__ == "__main__":
    server.run("streamable-http", port=int(sys.argv[1]))
