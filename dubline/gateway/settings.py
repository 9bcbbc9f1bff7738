"""Settings of the gateway, from the environment (`DUBLINE_GATEWAY_...`). README.md lists each one."""

from __future__ import annotations

from functools import lru_cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from dubline.settings import read


class GatewaySettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DUBLINE_GATEWAY_", env_ignore_empty=True, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    """Address on which it listens."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port on which it listens; 0 takes a free one."""
    rpc_port: int | None = Field(default=None, ge=0, le=65535)
    """Port of the gRPC service; none when not set."""
    rate: str = "1200/minute"
    """Requests that one key or person may make."""
    refused_rate: str = "30/minute"
    """Requests without valid credentials that one address may make."""
    redis: str | None = None
    """Redis in which several gateways count requests together (`redis://host:port/0`); each its own when not set."""
    upload_mb: int = Field(default=20_480, ge=1)
    """Largest upload; a tenant may have less."""
    keep_days: int = Field(default=30, ge=1)
    """How long a session is kept when its creator says nothing."""
    cookie_hours: int = Field(default=12, ge=1)
    """How long a browser stays signed in."""
    origins: tuple[str, ...] = ()
    """Origins of other sites whose pages may call the API; none by default."""
    proxies: str = ""
    """Addresses of the proxies whose X-Forwarded-For is believed, with commas between them."""
    oidc_issuer: str | None = None
    """Issuer of OpenID Connect tokens that are accepted; keys only when not set."""
    oidc_audience: str = "dubline"
    """Audience that such a token must name."""
    oidc_tenant_claim: str = "tenant"
    """Claim with the tenant's id."""
    oidc_role_claim: str = "dubline_role"
    """Claim with the role."""
    buckets: tuple[str, ...] = ()
    """Prefixes (s3://bucket/prefix/) below which a session may name objects as its source; none by default."""


@lru_cache(maxsize=1)
def gateway_settings() -> GatewaySettings:
    """Read once for each process. Raises InvalidRequest, naming the variables that are wrong."""
    return read(GatewaySettings)
