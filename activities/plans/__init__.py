"""Plans: how they are made, what their nodes are given, and what became of them."""
