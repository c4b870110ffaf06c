"""Circuit breakers of tools, MCP servers and models: what fails too often is left alone a while."""
