"""Give every word its time and its speaker, cut the speech into sentences, and note what else was clearly said."""

from __future__ import annotations

from dataclasses import replace

from dubline.acoustics.voice_activity import PACKAGES, clear_speech
from dubline.domain.attribution import attribute as attribute_words
from dubline.domain.unheard import by_speaker
from dubline.domain.word_times import corrected
from dubline.engines.contracts import DiarizationResult, TranscriptionResult
from dubline.media.activity import sounding
from dubline.storage.artifacts import local_path
from dubline.storage.results import Audio, Script, Stems, Turns, Words
from tasks.stage import artifacts, stage


@stage("attribute", result=Script, packages=PACKAGES)
def attribute(audio: Audio, stems: Stems, words: Words, turns: Turns) -> Script:
    heard = artifacts().load_value(words.artifact, TranscriptionResult)
    voices = artifacts().load_value(turns.artifact, DiarizationResult)
    timed = corrected(
        heard.words,
        sounding(local_path(audio.full), local_path(stems.background), [turn.span for turn in voices.turns]),
    )
    transcript = attribute_words(timed, voices.turns, voices.speakers, heard.language)
    speech = by_speaker(clear_speech(local_path(audio.speech)), voices.turns)
    transcript = replace(transcript, speech=speech)
    return Script(
        artifact=artifacts().put_value(transcript), language=heard.language, segments=len(transcript.segments)
    )
