"""How Alembic runs the migrations: on the connection that `tickets.database.migrate` gives it, in its transaction."""

from alembic import context

from tickets.database import VERSION_TABLE
from tickets.tables import NAMES

context.configure(
    connection=context.config.attributes["connection"], target_metadata=NAMES, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
