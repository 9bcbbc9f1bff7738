"""Keys of sealed sessions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("key", sa.String(length=200)))
    op.add_column("uploads", sa.Column("key", sa.String(length=200)))


def downgrade() -> None:
    op.drop_column("uploads", "key")
    op.drop_column("sessions", "key")
