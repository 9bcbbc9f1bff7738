"""Translate a video that lies in S3: fetch it, run `translate-video` here, put the results back."""

from __future__ import annotations

import asyncio
from pathlib import Path, PurePosixPath

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from dubline.domain.errors import InvalidMedia
from dubline.publication import MANIFEST, Manifest
from dubline.storage.artifacts import sha256_of
from dubline.watching.bucket import fetch, put_folder
from dubline.watching.options import Options
from flows.translate_video import translate_video
from tasks.stage import artifacts


class RemoteRequest(BaseModel):
    """A video in S3, and where its results go."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video: str = Field(description="The video, as s3://bucket/key. It is read and never changed.", pattern="^s3://")
    out: str = Field(description="Folder for the results, as s3://bucket/prefix.", pattern="^s3://")
    sha256: str | None = Field(default=None, description="The video's content, in hex; another one is refused.")
    options: Options = Field(description="Languages, profile, glossary and the rest.")


@flow(name="translate-remote", flow_run_name="{request.video}", persist_result=False)
async def translate_remote(request: RemoteRequest) -> Manifest:
    """From a video in S3 to dubbed videos, subtitles and reports in S3; finished stages are not done again."""
    with artifacts().workspace() as scratch:
        video, out = scratch / PurePosixPath(request.video).name, scratch / "out"
        await asyncio.to_thread(_fetch, request, video)
        manifest = await translate_video(request.options.request(video, out))
        named = manifest.model_copy(update={"source": request.video})
        (out / MANIFEST).write_text(named.model_dump_json(indent=1), encoding="utf-8")
        await asyncio.to_thread(put_folder, out, request.out, last=MANIFEST)
    return named


def _fetch(request: RemoteRequest, video: Path) -> None:
    """Raises InvalidMedia where the object is gone, or is another one than was asked for."""
    try:
        fetch(request.video, video)
    except FileNotFoundError:
        raise InvalidMedia(f"There is no object {request.video}; put the video there again.") from None
    if request.sha256 is not None and sha256_of(video) != request.sha256:
        raise InvalidMedia(f"{request.video} is not what it was when the run was asked for; ask again.")
