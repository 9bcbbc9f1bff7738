"""Where artifacts and checkpoints live, for every worker alike."""

from __future__ import annotations

from typing import ClassVar

from prefect.blocks.core import Block
from prefect_aws import AwsCredentials
from pydantic import Field

from dubline.settings import STORE


class MediaStore(Block):
    """Where Dubline keeps artifacts and checkpoints: a bucket, or a folder, that all workers reach."""

    _block_type_name: ClassVar[str] = "Dubline Media Store"
    _block_type_slug: ClassVar[str] = "dubline-media-store"
    _description: ClassVar[str] = "Where artifacts and checkpoints live. Workers that share it share finished work."

    url: str = Field(
        title="Place",
        description="Bucket and prefix, such as s3://media/dubline, or a folder that all workers find there.",
        examples=["s3://media/dubline", "/srv/dubline"],
        pattern=f"^({STORE})$",
    )
    credentials: AwsCredentials | None = Field(
        default=None,
        title="Credentials",
        description="Keys, region and, for servers other than Amazon's, the endpoint URL among the client parameters.",
    )

    def environment(self) -> dict[str, str]:
        """The same as settings of a process. They hold secrets: never log them."""
        found = {"DUBLINE_STORE": self.url}
        if self.credentials is None:
            return found
        secret = self.credentials.aws_secret_access_key
        given = {
            "AWS_ACCESS_KEY_ID": self.credentials.aws_access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else None,
            "AWS_SESSION_TOKEN": self.credentials.aws_session_token,
            "AWS_PROFILE": self.credentials.profile_name,
            "AWS_DEFAULT_REGION": self.credentials.region_name,
            "DUBLINE_S3_ENDPOINT": self.credentials.aws_client_parameters.endpoint_url,
        }
        return found | {name: value for name, value in given.items() if value}
