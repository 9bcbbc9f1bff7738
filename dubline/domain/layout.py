"""Where voices are in a sound track, by its number of channels in FLAC's order (RFC 9639, section 9.1.3)."""

from __future__ import annotations


def voice_channels(channels: int) -> tuple[int, ...]:
    """Where a dubbed voice goes: both sides, or the front centre where the layout has one."""
    return {1: (0,), 2: (0, 1), 4: (0, 1)}.get(channels, (2,))


def speech_groups(channels: int) -> tuple[tuple[int, ...], ...]:
    """Where people speak: the front pair, which shares one picture, and the front centre. The rest is surroundings."""
    pair = ((0,),) if channels == 1 else ((0, 1),)
    return pair if voice_channels(channels)[0] == 0 else (*pair, voice_channels(channels))


def speech_channels(channels: int) -> tuple[int, ...]:
    """All channels of `speech_groups`."""
    return tuple(channel for group in speech_groups(channels) for channel in group)
