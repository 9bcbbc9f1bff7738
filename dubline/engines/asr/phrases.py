"""Words that Whisper is known to make up over music, noise and silence: the ends of its training videos.

People say some of them too, so a phrase alone is no evidence: it only asks for more of it (see doubts.py).
"""

from __future__ import annotations

import re

_PHRASES = """
i / ah / oh / ooh / uh / eh / ye / wah / woo / ho / mm / hmm / ha / la / whoa / yeah / okay / so
you / bye / bye bye / the end / thank you / thank you very much / thank you so much / thanks
foreign / music / applause / silence / music playing / please subscribe
thanks for watching / thank you for watching / thanks for listening / thank you for listening
like and subscribe / subscribe to my channel / see you next time / see you in the next video / i'll see you next time
gracias / muchas gracias / gracias por ver / gracias por ver el video / gracias por ver el vídeo / suscríbete
suscríbete al canal / hasta la próxima / música / aplausos
merci / merci beaucoup / merci d'avoir regardé / merci d'avoir regardé cette vidéo / abonnez vous / musique
grazie / grazie mille / grazie a tutti / grazie per la visione / grazie per aver guardato / iscriviti al canale / musica
obrigado / obrigada / obrigado por assistir / inscreva se no canal / tchau / aplauso
danke / vielen dank / danke fürs zuschauen / vielen dank fürs zuschauen / musik / tschüss
ご視聴ありがとうございました / ありがとうございました / おやすみなさい / チャンネル登録お願いします
谢谢 / 谢谢观看 / 請不吝點贊 / 訂閱 / 轉發 / 打賞支持明鏡與點點欄目
시청해주셔서 감사합니다 / продолжение следует / спасибо за просмотр
"""
PHRASES = frozenset(re.split(r" / |\n", _PHRASES.strip()))
_CREDITS = re.compile(
    r"amara ?org|^(subtitles?|captions?|transcri(bed|ption)|translated) (by|created)\b"
    r"|^(subt[ií]tulos|legendas?|sottotitoli|untertitel(ung)?|sous titr\w+) "
    r"(\w+ )?(por|pela|pelo|da|dalla|di|der|des|von|im auftrag|par|para|a cura)\b"
    r"|^(copyright|www|субтитры|字幕)"
)
"""Who made the subtitles, which nobody says."""
_SUNG = re.compile(r"((\b[aeiouyhw]{1,4}|[hm]{2,}|la|na|da|doo|yeah)( |$)){3,}")
"""Three vowels and more: Whisper sings along with what sounds like a voice ("Ah, ye, oh, ah, ye")."""


def made_up(text: str) -> bool:
    """Is all of the text a phrase, or several, that Whisper makes up where nobody speaks?"""
    said = [_letters(sentence) for sentence in re.split(r"[.!?,…。！？、，]+", text)]
    if tells_credits(text) or _SUNG.fullmatch(_letters(text)):
        return True
    return any(said) and all(sentence in PHRASES for sentence in said if sentence)


def tells_credits(text: str) -> bool:
    return _CREDITS.search(_letters(text.replace(".", " "))) is not None


def _letters(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s']", " ", text.casefold().replace("’", "'")).split())
