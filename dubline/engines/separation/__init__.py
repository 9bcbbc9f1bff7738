"""Voices taken out of a sound track, so that the background can stay under the dub."""
