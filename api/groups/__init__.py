"""Groups of agents that stay, over HTTP."""
