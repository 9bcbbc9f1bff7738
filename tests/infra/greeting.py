"""A flow that writes to the store which machine it ran on."""

from __future__ import annotations

import os

from prefect import flow


@flow
async def greet(name: str) -> str:
    import s3fs

    place = f"{os.environ['DUBLINE_STORE'].removeprefix('s3://')}/greetings/{name}"
    s3fs.S3FileSystem(endpoint_url=os.environ["DUBLINE_S3_ENDPOINT"]).pipe(place, os.environ["DUBLINE_HOME"].encode())
    return place
