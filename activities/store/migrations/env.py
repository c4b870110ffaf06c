"""Read by alembic. What it works on comes from ``upgrade`` or, to write a migration, ``new``.

Applying migrations needs no tables: they are loaded only to be compared with a database.
"""

from alembic import context

context.configure(**context.config.attributes, compare_server_default=True)
context.run_migrations()
