"""What a model is there for in a task: to work on it, to plan it, to choose what it is."""
