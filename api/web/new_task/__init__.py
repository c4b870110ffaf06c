"""The form of a new task: what it begins with, and what is made of what was filled in."""
