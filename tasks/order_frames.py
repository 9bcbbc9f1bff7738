"""Decode a picture whose packets do not say when their frames are shown, and write it with those times, once a run."""

from __future__ import annotations

from dubline.media.inputs import source_file
from dubline.media.order import put_in_order
from dubline.storage.results import OrderedPicture, Picture, Source
from dubline.telemetry.progress import teller
from tasks.stage import artifacts, stage


@stage("order-frames", result=OrderedPicture)
def order_frames(source: Source) -> OrderedPicture:
    """The source must have a picture."""
    assert isinstance(source.picture, Picture)  # noqa: S101 - who calls this knows that it is in disorder
    with artifacts().workspace() as folder:
        with source_file(source.file) as path:
            made = put_in_order(path, source.picture.index, folder, teller())
        return OrderedPicture(
            artifact=artifacts().adopt(made.path), begin_s=made.begin_s, tags=made.tags, marks=made.marks
        )
