"""`python -m dubline.media.reorder SOURCE INDEX OUT` writes a picture with the times that it is shown at.

It opens a user's file, so it runs in the sandbox only, as ffmpeg does. It prints how much is decoded, as shares of 1 in
a line each, and at the end in one line of JSON at which second the picture begins, and what the file says of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from dubline.media.inputs import FORMATS, MAX_PIXELS, MAX_STREAMS, file_url

_OPENING = {"protocol_whitelist": "file", "format_whitelist": FORMATS, "max_streams": str(MAX_STREAMS)}
_THREADS = 4
"""Each of them holds frames, and the memory is limited."""
_TAGS = ("title", "language", "handler_name")
"""The rest is what the muxer of another container counted and measured."""


def main(source: Path, index: int, out: Path) -> None:
    with opened(source) as media:
        stream = picture_of(media, index)
        times, shown = decoded_order(stream, told(packets(media, stream), media.size))
        tags = {name: stream.metadata[name] for name in _TAGS if name in stream.metadata}
        marks = [mark.name for mark in stream.disposition]
        begin = times[0] * stream.time_base - (media.start_time or 0) / av.time_base  # type: ignore[operator]
    placed = presentation(times, shown)
    late = max(time - at for time, at in zip(times, placed, strict=True))
    with opened(source) as media, av.open(file_url(out), "w", format="mp4") as made:
        stream = picture_of(media, index)
        copy = made.add_stream_from_template(stream)
        for number, packet in enumerate(packets(media, stream)):
            packet.pts, packet.dts = placed[number] - times[0], times[number] - times[0] - late
            packet.stream = copy
            made.mux(packet)
    sys.stdout.write(json.dumps({"begin_s": round(float(begin), 6), "tags": tags, "marks": marks}) + "\n")


def opened(source: Path) -> InputContainer:
    return av.open(file_url(source), options=_OPENING)


def picture_of(media: InputContainer, index: int) -> VideoStream:
    stream = media.streams[index]
    assert isinstance(stream, VideoStream)  # noqa: S101 - the probe said so
    decoder = stream.codec_context
    decoder.thread_type, decoder.thread_count = "AUTO", _THREADS
    decoder.options = {"max_pixels": str(MAX_PIXELS)}
    return stream


def packets(media: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The stream's packets, one frame in each."""
    split = BitStreamFilterContext("mpeg4_unpack_bframes", stream) if stream.codec.name == "mpeg4" else None
    for packet in media.demux(stream):
        if packet.size:
            yield from split.filter(packet) if split else (packet,)
    if split:
        yield from split.filter(None)


def told(found: Iterator[Packet[VideoStream]], size: int) -> Iterator[Packet[VideoStream]]:
    """The packets, with a line at each hundredth of the file."""
    said = 0
    for packet in found:
        yield packet
        share = 100 * (packet.pos or 0) // max(size, 1)
        if share > said:
            sys.stdout.write(f"{share / 100}\n")
            sys.stdout.flush()
            said = share


def decoded_order(stream: VideoStream, found: Iterator[Packet[VideoStream]]) -> tuple[list[int], list[int]]:
    """When packets are decoded (in the stream's time base, growing), and their numbers in the order of their frames.

    AVI says the one time only. A copy in Matroska says the other, from which ffmpeg guesses this one, but not for the
    first packets; in a file without order it grows as well.
    """
    times: list[int] = []
    shown: list[int] = []
    rate, base = stream.average_rate, stream.time_base
    step = max(1, round(1 / (rate * base))) if rate and base else 1
    guessed = False
    for number, packet in enumerate(found):
        guessed = guessed or (number == 0 and packet.dts is None)
        time = packet.pts if guessed else packet.dts
        after = times[-1] + 1 if times else time or 0
        times.append(max(time, after) if time is not None else after - 1 + step)
        packet.pts = packet.dts = number
        shown += frames(stream, packet)
    return times, shown + frames(stream, None)


def frames(stream: VideoStream, packet: Packet[VideoStream] | None) -> list[int]:
    """Numbers of the packets whose frames a decoder gives back for this one."""
    try:
        return [frame.pts for frame in stream.decode(packet) if frame.pts is not None]
    except (av.error.InvalidDataError, av.error.ArgumentError):
        return []  # a damaged packet, or one of too large a picture: it is copied all the same


def presentation(times: Sequence[int], shown: Sequence[int]) -> list[int]:
    """When each packet's frame is shown. The packet of no frame follows the one before it.

    `times` grow; `shown` has numbers of packets in the order of their frames.
    """
    lost = set(range(len(times))).difference(shown)
    order: list[int] = []
    for number in (-1, *dict.fromkeys(shown)):
        order.append(number)
        while order[-1] + 1 in lost:
            order.append(order[-1] + 1)
    placed = [0] * len(times)
    for time, number in zip(times, order[1:], strict=True):
        placed[number] = time
    return placed


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
