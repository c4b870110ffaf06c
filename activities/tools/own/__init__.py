"""Tools of the house that runs AgentOS: functions in its own folders and packages."""
