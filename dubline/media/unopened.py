"""What to do with a file in a container that Dubline does not open."""

from __future__ import annotations

import shlex
from pathlib import Path

from dubline.domain.errors import InvalidMedia
from dubline.media.inputs import FORMATS, printable, shown
from dubline.media.runner import detected_container

_NO_VIDEOS = {
    *("hls", "concat", "dash", "imf", "sdp", "rtsp", "rtp", "webm_dash_manifest", "tty", "ffmetadata", "image2"),
    *(
        "ass",
        "srt",
        "webvtt",
        "subviewer",
        "subviewer1",
        "microdvd",
        "jacosub",
        "sami",
        "realtext",
        "mpl2",
        "pjs",
        "stl",
    ),
    *("scc", "lrc", "aqtitle", "mpsub", "tedcaptions", "vplayer", "vobsub", "sup", "ico", "bin", "data", "s337m"),
}
"""ffmpeg's names of playlists, texts and pictures, and of what it takes for media by guess."""
_SOUND = {
    *("caf", "aiff", "au", "w64", "amr", "amrnb", "amrwb", "ac3", "eac3", "dts", "dtshd", "truehd", "mlp", "ape", "wv"),
    *("tta", "tak", "mpc", "mpc8", "voc", "oma", "dsf", "shn", "gsm", "g722", "g729", "qcp", "ircam", "nistsphere"),
}
_BARE = {"h264", "hevc", "m4v", "mpegvideo", "vc1", "av1", "obu", "dirac", "cavsvideo", "avs2", "avs3", "mjpeg", "h261"}
"""A stream of pictures without a container: it says no times, so what it was recorded at has to be told."""


def require_known(path: Path) -> None:
    """Raises InvalidMedia where a file is in a container with a name that is not opened, with what to do about it."""
    kind = detected_container(path)
    if kind is None or kind in FORMATS.split(",") or kind in _NO_VIDEOS or kind.endswith("_pipe"):
        return
    name, target = shlex.quote(shown(path)), shlex.quote(printable(f"{path.stem}.mkv"))
    if kind in _SOUND:
        raise InvalidMedia(
            f"'{shown(path)}' is a file of sound alone ({kind}); Dubline translates videos, give it one."
        )
    if kind in _BARE:
        raise InvalidMedia(
            f"'{shown(path)}' is a bare stream of pictures ({kind}), without sound or times; put it into a container "
            f"at its frame rate first: ffmpeg -fflags +genpts -r 25 -i {name} -c copy {target}"
        )
    raise InvalidMedia(
        f"'{shown(path)}' is in a container that Dubline does not open ({kind}); put its streams into another one: "
        f"ffmpeg -i {name} -c copy {target} (with -c:v ffv1 -c:a flac instead of -c copy where that fails)"
    )
