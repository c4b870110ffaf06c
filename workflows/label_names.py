"""How the search attributes of our workflows are called; all are of type Keyword."""

NAME = "AgentOSName"
TEAM = "AgentOSTeam"
TYPE = "AgentOSType"
STATE = "AgentOSState"
ALL = (NAME, TEAM, TYPE, STATE)
