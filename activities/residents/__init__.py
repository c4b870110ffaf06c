"""What the workflow of an agent that stays has done: exchanges, their prompts, their ends."""
