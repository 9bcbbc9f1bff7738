"""Alembic's entry: migrations run on the connection that `dubline.storage.database` gives, inside its transaction."""

from __future__ import annotations

from alembic import context

from dubline.storage.database import VERSIONS
from dubline.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    version_table=VERSIONS,
    transaction_per_migration=False,
)
context.run_migrations()
