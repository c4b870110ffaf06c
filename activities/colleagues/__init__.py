"""The other agents of a team, as an agent that stays knows them."""
