"""For each suite frames that pass, and for each rule frames that break it and no other rule."""

from dataclasses import replace

from dubline.domain.glossary import Glossary, Term
from dubline.domain.time import Span
from dubline.domain.timeline import FittedTimeline, PlacedLine, PlacedPhrase, PlannedLine, PlannedPhrase, SpeechPlan
from dubline.domain.transcript import NOBODY, Line, Segment, Transcript, Translation, Turn
from dubline.media.clip_levels import Levels
from dubline.storage.results import ArtifactRef, Audio, Picture, Source, Track
from quality_suites import media, output, segments, speech, timeline, transcript, translation
from quality_suites.rules import CUES, LINES, WHOLE

# --- clean values -----------------------------------------------------------------------------------------------------

FILE = ArtifactRef(uri="file:///v.mp4", sha256="0" * 64, size=1)
PICTURE = Picture(index=0, codec="h264", width=1280, height=720, frame_rate=25.0)
TRACK = Track(index=1, codec="aac", channels=2)
SOURCE = Source(file=FILE, container="mp4", duration_ms=10_000, picture=PICTURE, tracks=(TRACK,), dubbed_track=1)
AUDIO = Audio(full=FILE, speech=FILE, duration_ms=10_000, channels=2)

ONE = Segment("s1", Span(0, 2000), "Good morning, how are you today?", "A", confidence=0.9)
TWO = Segment("s2", Span(2000, 4000), "Very well, thank you very much.", "B", confidence=0.9)
THREE = Segment("s3", Span(5000, 7000), "Shall we go for a walk, then?", "A", confidence=0.9)
SCRIPT = Transcript("en", (ONE, TWO, THREE))

LINE_1 = Line("s1", "Buenos días, ¿cómo estás hoy?")
LINE_2 = Line("s2", "Muy bien, muchísimas gracias.")
LINE_3 = Line("s3", "¿Vamos entonces a dar un paseo?")
GLOSSARY = Glossary((Term("how are you", "cómo estás"), Term("walk", None, "fr")))
RENDERED = Translation("en", "es", (LINE_1, LINE_2, LINE_3), glossary=GLOSSARY.speaking("es"))


def planned(segment, line, speed=1.0):
    return PlannedLine(segment.id, line.text, "v", (PlannedPhrase(f"{segment.id}.1", segment.span, line.text, speed),))


def plan_at(speed):
    together = zip(SCRIPT.segments, RENDERED.lines, strict=True)
    return SpeechPlan("en", "es", tuple(planned(segment, line, speed) for segment, line in together))


PLAN = plan_at(1.0)
EARLIER = Span(1900, 4000)
AT_ONCE = replace(PLAN, lines=(PLAN.lines[0], planned(replace(TWO, span=EARLIER), LINE_2), PLAN.lines[2]))
LEVELS = Levels(duration_ms=2000, rms_dbfs=-20.0, peak_dbfs=-3.0, clipped_share=0.0)
CLIPS = {"s1.1": LEVELS, "s2.1": LEVELS, "s3.1": LEVELS}


def at(line_id, span, stretch=1.0):
    return PlacedLine(line_id, span, (PlacedPhrase(f"{line_id}.1", span, stretch),))


def kept(line_id, span):
    return PlacedLine(line_id, span, ())


PLACED = tuple(at(segment.id, segment.span) for segment in SCRIPT.segments)
TIMELINE = FittedTimeline("es", 10_000, PLACED)
REACHING = (PLACED[0], at("s2", Span(2000, 4426)), PLACED[2])

FACTS = output.OutputFacts(
    duration_ms=10_000,
    source_duration_ms=10_000,
    frame_rate=25.0,
    has_picture=True,
    audio_languages=["spa", "eng"],
    default_audio=0,
    dub_language="spa",
    source_audio_tracks=1,
    changed_tracks=0,
    subtitle_languages=["spa", "eng"],
    wanted_subtitles=["spa", "eng"],
    loudness_lufs=-20.0,
    wanted_loudness_lufs=-20.0,
    true_peak_dbtp=-2.0,
    cues=4,
)


def cue(language, start_ms, end_ms, text="Buenos días a todos"):
    return output.CueFacts(language=language, start_ms=start_ms, end_ms=end_ms, text=text)


CUE_LIST = [cue("es", 0, 2000), cue("es", 2000, 4000), cue("en", 0, 2000), cue("en", 2100, 4000)]


# --- frames with one thing changed ------------------------------------------------------------------------------------


def media_with(audio=AUDIO, **changes):
    return media.rows(SOURCE.model_copy(update=changes), audio)


def picture_with(**changes):
    return media_with(picture=PICTURE.model_copy(update=changes))


def script_with(*, second=None, third=None):
    """The clean transcript with the given changes to its segments."""
    parts = (ONE, replace(TWO, **(second or {})), replace(THREE, **(third or {})))
    return Transcript("en", parts)


def segments_with(**changes):
    return segments.rows(script_with(**changes), 10_000)


def spoken_by(speaker, start_ms, end_ms):
    """The clean transcript, and somebody who clearly speaks at a time."""
    return replace(SCRIPT, speech=(Turn(Span(start_ms, end_ms), speaker),))


def transcript_with(requested="en", speech_ms=6000, **changes):
    return transcript.rows(script_with(**changes), requested, speech_ms)


def lines_of(*lines):
    return translation.rows(SCRIPT, replace(RENDERED, lines=lines))


def second_line(text, unknown=()):
    return lines_of(LINE_1, Line("s2", text, unknown), LINE_3)


def second_clip(**changes):
    return speech.rows(PLAN, CLIPS | {"s2.1": replace(LEVELS, **changes)})


def placed(*lines, plan=PLAN):
    return timeline.rows(SCRIPT, plan, replace(TIMELINE, lines=lines))


def third_placed(span, stretch=1.0):
    return placed(*PLACED[:2], at("s3", span, stretch))


def facts_with(**changes):
    return output.rows({**FACTS, **changes}, CUE_LIST)


def cues_with(*cues):
    return output.rows({**FACTS, "cues": len(cues)}, cues)


def doubled_whole(frames):
    return {**frames, WHOLE: frames[WHOLE] * 2}


def shortened(frames, name):
    return {**frames, name: frames[name][:-1]}


# --- the cases --------------------------------------------------------------------------------------------------------

CLEAN = {
    "media": media_with(),
    "segments": segments.rows(SCRIPT, 10_000),
    "transcript": transcript_with(),
    "translation": translation.rows(SCRIPT, RENDERED),
    "speech": speech.rows(PLAN, CLIPS),
    "timeline": timeline.rows(SCRIPT, PLAN, TIMELINE),
    "output": output.rows(FACTS, CUE_LIST),
}

LOOP = "Thank you so much. Thank you so much. Thank you so much. Thank you so much."

BROKEN = {
    "media": {
        "duration": media_with(duration_ms=0, audio=None),
        "picture": media_with(picture=None),
        "sound": media_with(dubbed_track=None, audio=None),
        "picture-size": picture_with(height=2),
        "frame-rate": picture_with(frame_rate=1000.0),
        "sound-length": media_with(audio=AUDIO.model_copy(update={"duration_ms": 9900})),
    },
    "segments": {
        "inside-media": segments_with(third={"span": Span(9000, 10_001)}),
        "ordered": segments_with(third={"span": Span(1900, 2100), "speaker": "C"}),
        "no-overlap": segments_with(second={"speaker": "A", "span": Span(1999, 4000)}),
        "duration-positive": segments_with(third={"span": Span(5000, 5000)}),
        "duration-typical": segments_with(third={"span": Span(5000, 5049)}),
        "ids-unique": segments_with(third={"id": "s2"}),
    },
    "transcript": {
        "speech-heard": transcript.rows(Transcript("en", ()), "en", 3001),
        "speech-in-a-line": transcript.rows(spoken_by(NOBODY, 4500, 4900), "en", 6000),
        "talked-over": transcript.rows(spoken_by("B", 5500, 5900), "en", 6000),
        "language": transcript_with(requested="fr"),
        "confidence": transcript_with(second={"confidence": 0.49}),
        "repeated-phrase": transcript_with(second={"text": LOOP, "span": Span(2000, 7000)}),
        "repeated-segment": transcript_with(second={"text": ONE.text}, third={"text": ONE.text.upper()}),
        "speaking-rate": transcript_with(second={"span": Span(2000, 3000)}),
    },
    "translation": {
        "line-lost": lines_of(LINE_1, LINE_3),
        "line-added": lines_of(LINE_1, LINE_2, LINE_2, LINE_3),
        "line-order": lines_of(LINE_2, LINE_1, LINE_3),
        "empty": second_line(" ... "),
        "copy-of-source": second_line("very well thank you very much"),
        "length-ratio": second_line("Muy bien."),
        "unknown-words": second_line("Muy bien, *thank you muchas gracias."),
        "glossary": lines_of(Line("s1", "Buenos días, ¿qué tal vas hoy?"), LINE_2, LINE_3),
    },
    "speech": {
        "clip-planned": speech.rows(PLAN, CLIPS | {"s4.1": LEVELS}),
        "clip-duration": second_clip(duration_ms=0),
        "clip-missing": speech.rows(PLAN, {"s1.1": LEVELS, "s3.1": LEVELS}),
        "too-fast": second_clip(duration_ms=900),
        "too-slow": second_clip(duration_ms=6000),
        "silent": second_clip(rms_dbfs=-50.1),
        "clipped": second_clip(clipped_share=0.0011),
    },
    "timeline": {
        "line-placed": placed(*PLACED[:2]),
        "line-placed-once": placed(*PLACED, kept("s3", Span(7100, 7500)), kept("s3", Span(7500, 9000))),
        "line-known": placed(*PLACED, at("s4", Span(8000, 9000))),
        "no-overlap": placed(at("s1", Span(0, 5001)), kept("s2", TWO.span), PLACED[2]),
        "no-new-overlap": placed(at("s1", Span(0, 2001)), *PLACED[1:]),
        "no-longer-overlap": placed(at("s1", Span(0, 2126)), at("s2", EARLIER), PLACED[2], plan=AT_ONCE),
        "original-overlap": placed(at("s1", Span(0, 5001)), kept("s2", TWO.span), kept("s3", THREE.span)),
        "unrecognized-overlap": timeline.rows(spoken_by(NOBODY, 4300, 4900), PLAN, replace(TIMELINE, lines=REACHING)),
        "inside-video": third_placed(Span(5000, 10_001)),
        "stretch": third_placed(THREE.span, 1.151),
        "rate": placed(*PLACED, plan=plan_at(1.26)),
        "onset": third_placed(Span(5121, 7121)),
        "solved": timeline.rows(SCRIPT, PLAN, replace(TIMELINE, optimal=False)),
    },
    "output": {
        "picture": facts_with(has_picture=False),
        "dub-language": facts_with(audio_languages=["eng", "spa"]),
        "dub-default": facts_with(default_audio=1),
        "original-kept": facts_with(audio_languages=["spa"]),
        "original-samples": facts_with(changed_tracks=1),
        "subtitles": facts_with(subtitle_languages=["spa", None]),
        "duration": facts_with(duration_ms=9950),
        "loudness": facts_with(loudness_lufs=-19.4),
        "true-peak": facts_with(true_peak_dbtp=-0.9),
        "cue-order": cues_with(cue("es", 2000, 4000), cue("es", 0, 2000)),
        "cue-overlap": cues_with(cue("es", 0, 2001), cue("es", 2000, 4000)),
        "cue-inside-video": cues_with(cue("es", 9000, 10_001)),
        "cue-duration": cues_with(cue("es", 1000, 1000)),
        "cue-reading-speed": cues_with(cue("es", 0, 900)),
    },
}

for name, clean in CLEAN.items():
    BROKEN[name]["whole-rows"] = doubled_whole(clean)
for name in ("segments", "transcript", "translation", "speech", "timeline"):
    BROKEN[name]["lines-rows"] = shortened(CLEAN[name], LINES)
BROKEN["transcript"]["stretches-rows"] = shortened(
    transcript.rows(spoken_by(NOBODY, 4500, 4800), "en", 6000), transcript.STRETCHES
)
BROKEN["output"]["cues-rows"] = shortened(CLEAN["output"], CUES)
