"""Every table of Dubline's database. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from dubline.storage.database import Moment

metadata = MetaData()

watched_videos = Table(
    "watched_videos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("folder", String(1024), nullable=False),
    Column("content", String(64), nullable=False),
    Column("options_digest", String(64), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("options", Text, nullable=False),
    Column("work", String(64), nullable=False, unique=True),
    Column("name", String(1024), nullable=False),
    Column("state", String(16), nullable=False),
    Column("run", String(64)),
    Column("result", String(1100)),
    Column("reason", Text),
    Column("created", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    UniqueConstraint("folder", "content", "options_digest", "attempt", name="watched_videos_identity"),
    UniqueConstraint("folder", "result", name="watched_videos_result"),
    Index("watched_videos_open", "folder", "state"),
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created", Moment, nullable=False),
    Column("limits", JSON, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("tenant", String(64), ForeignKey("tenants.id"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("created", Moment, nullable=False),
    Column("expires", Moment),
    Column("revoked", Moment),
    Column("used", Moment),
)

# A browser that signed in: its cookie's hash, and on whose behalf it speaks.
browsers = Table(
    "browsers",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("identity", JSON, nullable=False),
    Column("key", String(16), ForeignKey("api_keys.id", ondelete="CASCADE")),
    Column("expires", Moment, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(64), ForeignKey("tenants.id"), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("title", String(300), nullable=False),
    Column("state", String(16), nullable=False),
    Column("languages", String(200), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("running", Integer),
    Column("dubbed", Integer),
    Column("attempt", Integer, nullable=False),
    Column("run", String(64)),
    Column("stage", String(64)),
    Column("fraction", Float, nullable=False),
    Column("eta_s", Float),
    Column("source", JSON, nullable=False),
    Column("request", JSON, nullable=False),
    Column("result", JSON, nullable=False),
    Column("error", JSON(none_as_null=True)),
    Column("webhook", JSON(none_as_null=True)),
    Column("key", String(200)),
    Column("last_event", Integer, nullable=False),
    Column("created", Moment, nullable=False),
    Column("changed", Moment, nullable=False),
    Column("expires", Moment),
    Index("sessions_of_tenant", "tenant", "created", "id"),
    Index("sessions_in_state", "state"),
    Index("sessions_of_run", "run"),
)

# What a person changed; a revision of a session is its edits up to that number.
session_edits = Table(
    "session_edits",
    metadata,
    Column("session", String(32), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("by", String(200), nullable=False),
    Column("edit", JSON, nullable=False),
)

session_events = Table(
    "session_events",
    metadata,
    Column("session", String(32), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("data", JSON, nullable=False),
)

# One session for a key, whoever of several that create it at once comes first.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("tenant", String(64), ForeignKey("tenants.id"), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("session", String(32), nullable=False),
    Column("created", Moment, nullable=False),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tenant", String(64), ForeignKey("tenants.id"), nullable=False, index=True),
    Column("owner", String(200), nullable=False),
    Column("name", String(300), nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("handle", String(1024), nullable=False),
    Column("key", String(200)),
    Column("created", Moment, nullable=False),
    Column("expires", Moment, nullable=False, index=True),
)

# The end of a session that somebody wants to be told of; `next` is null once that is done or given up.
webhook_calls = Table(
    "webhook_calls",
    metadata,
    Column("session", String(32), ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("event", Integer, primary_key=True),
    Column("tries", Integer, nullable=False),
    Column("next", Moment, index=True),
    Column("answer", String(300)),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", String(200), nullable=False),
    Column("address", String(64), nullable=False),
    Column("outcome", Integer, nullable=False),
    Index("audit_of_tenant", "tenant", "id"),
)

# What stages took in runs that are done; the time that is left is estimated from it.
run_times = Table(
    "run_times",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("profile", String(64), nullable=False),
    Column("video_s", Float, nullable=False),
    Column("languages", Integer, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("spans", JSON, nullable=False),
    Column("at", Moment, nullable=False),
    Index("run_times_of_profile", "profile", "id"),
)

# What each machine that translates can do, as it tells itself: its models and programs are known to nobody else.
offers = Table(
    "offers",
    metadata,
    Column("machine", String(200), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("profiles", JSON, nullable=False),
)
