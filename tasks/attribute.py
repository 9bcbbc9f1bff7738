"""Give every word to its speaker and cut the speech into sentences."""

from __future__ import annotations

from dubline.domain.attribution import attribute as attribute_words
from dubline.engines.contracts import DiarizationResult, TranscriptionResult
from dubline.storage.results import Script, Turns, Words
from tasks.stage import artifacts, stage


@stage("attribute", result=Script)
def attribute(words: Words, turns: Turns) -> Script:
    heard = artifacts().load_value(words.artifact, TranscriptionResult)
    voices = artifacts().load_value(turns.artifact, DiarizationResult)
    transcript = attribute_words(heard.words, voices.turns, voices.speakers, heard.language)
    return Script(
        artifact=artifacts().put_value(transcript), language=heard.language, segments=len(transcript.segments)
    )
