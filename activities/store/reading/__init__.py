"""Reading the store: each module is a noun, and its functions return frozen dataclasses.

The modules beside this package write. Here

- the ``Database`` comes first, then the team wherever a client asks: another team's rows are not
  found. A function without a team serves AgentOS itself, or continues from a task that was found;
- None means that there is none: answering 404 is up to the API;
- states and types are enums, times have a zone, and JSON was parsed. A value that this version
  does not know raises ``DatabaseNewer``: a server that is older than its database must say so;
- functions that take a connection are parts of larger reads, one connection for all.

Import the names, not the modules: ``tasks`` is the module that writes tasks.
"""
