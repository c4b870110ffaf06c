"""Tasks that agents that stay begin, and what they are told of them."""
