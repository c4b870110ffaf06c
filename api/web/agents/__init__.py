"""Agents that stay and groups, as their pages show them and as their forms give them."""
