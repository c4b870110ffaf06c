"""From what an agent or a plan did to a pipeline that does it again, without a model.

``compiling`` is the whole of it. ``files`` knows which file a name meant at the time of a call,
``readings`` what a call says and which files it needs, ``selection`` which calls count, ``words``
what a model can only have read in the data, and ``steps`` writes it down.

A plan is many such runs: ``branches`` puts those of its nodes in order and says what each was given
and told, ``plans`` has them compiled, and ``fixed_steps`` reads steps of pipelines among them.
"""
