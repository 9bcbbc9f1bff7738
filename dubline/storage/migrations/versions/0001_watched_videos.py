"""What watched folders took in. Homes of before there were migrations have the table already."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "watched_videos",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("folder", sa.String(1024), nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("options_digest", sa.String(64), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("work", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(1024), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run", sa.String(64)),
        sa.Column("result", sa.String(1100)),
        sa.Column("reason", sa.Text),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("folder", "content", "options_digest", "attempt", name="watched_videos_identity"),
        sa.UniqueConstraint("folder", "result", name="watched_videos_result"),
        if_not_exists=True,
    )
    op.create_index("watched_videos_open", "watched_videos", ["folder", "state"], if_not_exists=True)


def downgrade() -> None:
    op.drop_table("watched_videos")
