"""Where artifacts and checkpoints live, for every worker alike."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from prefect.blocks.core import Block
from prefect_aws import AwsCredentials
from prefect_aws.assume_role_parameters import AssumeRoleParameters
from pydantic import ConfigDict, Field, field_validator

from dubline.settings import ENDPOINT, STORE

_PROFILE = "a profile in ~/.aws/config of every worker, and name it as 'Profile Name'"


class MediaStore(Block):
    """Where Dubline keeps artifacts and checkpoints: a bucket, or a folder, that all workers reach."""

    _block_type_name: ClassVar[str] = "Dubline Media Store"
    _block_type_slug: ClassVar[str] = "dubline-media-store"
    _description: ClassVar[str] = "Where artifacts and checkpoints live. Workers that share it share finished work."

    # An error that quotes what was given would carry keys into logs.
    model_config = ConfigDict(hide_input_in_errors=True)

    url: str = Field(
        title="Place",
        description="Bucket and prefix, such as s3://media/dubline, or a folder that all workers find there.",
        examples=["s3://media/dubline", "/srv/dubline"],
        pattern=f"^({STORE})$",
    )
    credentials: AwsCredentials | None = Field(
        default=None,
        title="Credentials",
        description="Keys or a profile, region and, for servers other than Amazon's, the endpoint URL among the client "
        "parameters. What the store cannot do, such as assume a role, is refused with what to do instead.",
    )

    @field_validator("credentials", mode="before")
    @classmethod
    def _keep_authorities(cls, value: Any) -> Any:
        """prefect-aws forgets the authorities' file of a block that was saved without a word on 'Verify'."""
        parameters = value.get("aws_client_parameters") if isinstance(value, dict) else None
        if parameters and parameters.get("verify_cert_path") and parameters.get("verify") is None:
            return value | {"aws_client_parameters": parameters | {"verify": True}}
        return value

    @field_validator("credentials")
    @classmethod
    def _honoured(cls, credentials: AwsCredentials | None) -> AwsCredentials | None:
        """Raises ValueError: the store must not choose other keys, or less of TLS, than it was given."""
        if credentials and (fault := _fault(credentials)):
            raise ValueError(fault)
        return credentials

    def environment(self) -> dict[str, str]:
        """The same as settings of a process. They hold secrets: never log them."""
        found = {"DUBLINE_STORE": self.url}
        if self.credentials is None:
            return found
        authorities = _authorities(self.credentials)
        given = {
            "AWS_ACCESS_KEY_ID": self.credentials.aws_access_key_id,
            "AWS_SECRET_ACCESS_KEY": _secret(self.credentials),
            "AWS_SESSION_TOKEN": self.credentials.aws_session_token,
            "AWS_PROFILE": self.credentials.profile_name,
            "AWS_DEFAULT_REGION": self.credentials.region_name,
            "AWS_CA_BUNDLE": str(authorities) if isinstance(authorities, Path) else None,
            "DUBLINE_S3_ENDPOINT": self.credentials.aws_client_parameters.endpoint_url,
        }
        return found | {name: value for name, value in given.items() if value}


def _secret(credentials: AwsCredentials) -> str | None:
    secret = credentials.aws_secret_access_key
    return secret.get_secret_value() if secret else None


def _authorities(credentials: AwsCredentials) -> Path | bool | None:
    """Whose certificates are believed: a file's authorities, everybody's (False), or those that are usual."""
    parameters = credentials.aws_client_parameters
    return parameters.verify_cert_path or parameters.verify


def _fault(credentials: AwsCredentials) -> str | None:
    """What the form offers and the store cannot do, with what to do instead; None where all is honoured."""
    parameters = credentials.aws_client_parameters
    key, secret, endpoint = credentials.aws_access_key_id, _secret(credentials), parameters.endpoint_url or ""
    if credentials.assume_role_arn or credentials.assume_role_kwargs != AssumeRoleParameters():
        return (
            f"'Assume Role ARN' and 'Assume Role Parameters' are not used; assume the role by {_PROFILE}, without keys"
        )
    if bool(key) != bool(secret):
        return "'AWS Access Key ID' and 'AWS Access Key Secret' belong together; give both or none"
    if credentials.aws_session_token and not key:
        return "'AWS Session Token' goes with a key; give 'AWS Access Key ID' and 'AWS Access Key Secret' too"
    if endpoint and not re.search(ENDPOINT, endpoint):
        return "'Endpoint URL' is no address of a server; write it as https://HOST:PORT"
    if not parameters.use_ssl and not endpoint.startswith("http://"):
        return "'Use SSL' is off for an address with TLS; write 'Endpoint URL' with http://, or leave 'Use SSL' on"
    if _authorities(credentials) is False:
        return "'Verify' cannot be off; name the server's authority as 'Certificate Authority Bundle File Path'"
    if parameters.api_version:
        return "'API Version' is not used; leave it empty"
    if parameters.config:
        return f"'Botocore Config' is not used; write what it says into {_PROFILE}"
    return None
