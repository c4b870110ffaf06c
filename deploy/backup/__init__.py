"""Backups of the embedded stack: one file that holds its whole state, taken while it runs.

What is in it, and in what order it is looked at:

1. *Temporal*: the SQLite file, as a reading transaction sees it that begins first of all.
2. *PostgreSQL*: all rows, as a transaction sees them that begins milliseconds later, however long
   it then takes to write both out.
3. *Blobs*: those that these rows name. They never change, and nobody removes one meanwhile, since
   housekeeping is held off until the backup is written. What has been stored since is not named.
4. *Secrets* of the data folder, which do not change.

So Temporal is a little older than the database, never newer. That is the way round in which nothing
is lost: it is as if Temporal had lost its last words, or every worker had been killed before it
could report. After a restore

- a workflow repeats the activities whose end it had not heard of. They find what they have written,
  fenced by run and attempt, and give the same answer: no model is asked again, and no step that has
  ended runs again. One whose task has ended by its row ends without changing it;
- a task that was accepted, or begun anew by a retry, in between has a row and no workflow. The
  sweeper starts it, and takes a row that never ran for one that has just been accepted;
- a decision, a message or a reminder in between is in a row, and is told again;
- a schedule that was made, changed or deleted in between is put into Temporal as its row is; a
  workflow whose schedule has gone finds no row, and ends;
- a step that was running is one whose worker died: its attempt is counted as lost, and made again
  once its heartbeat is missed.

The other way round, a workflow could have ended of which the database knows nothing: then a task
would be closed as `result-lost`.

Not in it: caches, logs, scratch files, addresses, and what the environment says (AGENTOS_...). A
key that the environment gave to `agentos up` must be given to it again.
"""
