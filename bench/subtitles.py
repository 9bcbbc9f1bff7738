"""What share of subtitle cues breaks a rule, on made talks: calm to hurried, many languages, crossfire, monologues.

    python -m bench.subtitles

Talks are drawn from the sentences below with a fixed seed. Writes bench/results/subtitles.json.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dubline.domain.subtitles import CueLimits, Utterance, layout
from dubline.domain.time import Span
from dubline.domain.transcript import Word

OUT = Path(__file__).parent / "results" / "subtitles.json"
SENTENCES = {
    "en": (
        "We walked along the river for hours and hours.",
        "Then it began to rain, and we looked for a roof to stand under.",
        "Nobody had told us that the old mill was closed.",
        "I said that we should turn back, but she would not hear of it.",
        "What do you want me to do? The road was long, and the night was coming down upon the hills.",
        "Yes.",
        "No.",
        "I really do not know what happened to them after that winter.",
        "My brother wrote me a letter when he arrived in Chicago, which took three weeks to come.",
        "Look at that! There is a light in the window over there.",
        "It was the first time in my life that I had seen the sea.",
    ),
    "es": (
        "Caminamos por la orilla del río durante horas y horas.",
        "Entonces empezó a llover, y buscamos un techo bajo el que esperar.",
        "Nadie nos había dicho que el viejo molino estaba cerrado.",
        "Dije que deberíamos volver, pero ella no quiso saber nada.",
        "¿Qué quieres que haga? El camino era largo, y la noche bajaba sobre las colinas.",
        "Sí.",
        "No.",
        "La verdad es que no sé qué fue de ellos después de aquel invierno.",
        "Mi hermano me escribió una carta cuando llegó a Chicago, que tardó tres semanas en llegar.",
        "¡Mira eso! Hay una luz en aquella ventana.",
        "Era la primera vez en mi vida que veía el mar.",
    ),
    "ja": (
        "昨日は友達と一緒に東京タワーへ行って、とても美しい夜景を見ました。",
        "その後、レストランで「天ぷら」を食べました。",
        "はい。",
        "誰も教えてくれなかったので、私たちは道に迷ってしまいました。",
        "どうしますか？",
        "雨が降り始めたので、屋根のある場所を探しました。",
    ),
    "zh": (
        "我们沿着河边走了好几个小时。",
        "然后开始下雨，我们找了一个可以避雨的屋顶。",
        "没有人告诉我们那座老磨坊已经关闭了。",
        "是的。",
        "你想让我做什么？",
        "那是我一生中第一次看到大海，那里的风很大。",
    ),
    "th": (
        "เมื่อวานนี้เราเดินเลียบแม่น้ำเป็นเวลาหลายชั่วโมง แล้วฝนก็เริ่มตก",
        "เราจึงมองหาที่หลบฝนใต้หลังคา",
        "ใช่",
        "ไม่มีใครบอกเราว่าโรงสีเก่าปิดแล้ว",
        "คุณอยากให้ฉันทำอะไร",
    ),
    "ar": (
        "مشينا على طول النهر لساعات طويلة.",
        "ثم بدأ المطر يهطل، فبحثنا عن سقف نقف تحته.",
        "نعم.",
        "لم يخبرنا أحد أن الطاحونة القديمة مغلقة.",
        "ماذا تريدني أن أفعل؟",
    ),
    "hi": (
        "हम घंटों नदी के किनारे चलते रहे।",
        "फिर बारिश शुरू हुई, और हमने खड़े होने के लिए छत ढूंढी।",
        "हाँ।",
        "किसी ने हमें नहीं बताया कि पुरानी चक्की बंद थी।",
        "तुम मुझसे क्या चाहते हो?",
    ),
    "ko": (
        "우리는 몇 시간 동안 강을 따라 걸었습니다.",
        "그러다 비가 내리기 시작해서 서 있을 지붕을 찾았습니다.",
        "네.",
        "오래된 방앗간이 문을 닫았다고 아무도 말해주지 않았습니다.",
        "제가 뭘 하길 원하세요?",
    ),
}
RATES = {"en": 15.0, "es": 15.0, "ja": 6.5, "zh": 5.0, "th": 13.0, "ar": 13.0, "hi": 15.0, "ko": 5.5}
"""Characters a second of unhurried speech."""
UNSPACED = {"ja", "zh"}
Talk = tuple[str, list[Utterance], int]
"""Language, what is said, and the video's length in ms."""


def dialogue(
    language: str, rate: float, seconds: int, *, pause_ms: int = 900, overlap: float = 0.0, speakers: int = 2
) -> Talk:
    """Sentences by random speakers; a share of them begins while the one before is still being said."""
    chance, cursor, said = random.Random(1), 0, []  # noqa: S311 # a reproducible talk, not a secret
    while cursor < seconds * 1000:
        text = chance.choice(SENTENCES[language])
        length = max(250, int(len(text) / rate * 1000))
        said.append(Utterance(Span(cursor, cursor + length), text, f"S{chance.randrange(speakers)}"))
        crossed = chance.random() < overlap
        cursor += int(length * chance.uniform(0.3, 0.9)) if crossed else length + chance.randint(0, pause_ms)
    return language, said, cursor + 2000


def monologue(language: str, seconds: int) -> Talk:
    """One utterance, with the times of its phrases and pauses of 100 to 500 ms between them."""
    chance, cursor, phrases = random.Random(4), 0, []  # noqa: S311 # a reproducible talk, not a secret
    while cursor < seconds * 1000:
        text = chance.choice(SENTENCES[language])
        length = int(len(text) / RATES[language] * 1000)
        phrases.append(Word(text, Span(cursor, cursor + length), 1.0))
        cursor += length + chance.randint(100, 500)
    text = ("" if language in UNSPACED else " ").join(phrase.text for phrase in phrases)
    return language, [Utterance(Span(0, cursor), text, "S1", tuple(phrases))], cursor + 1000


def talks() -> Iterator[tuple[str, Talk]]:
    for language, rate in RATES.items():
        for name, pace in (("calm", 0.85), ("normal", 1.0), ("fast", 1.25)):
            yield f"{language} dialogue, {name}", dialogue(language, rate * pace, 300)
        yield f"{language} monologue of 90 s", monologue(language, 90)
    yield "es, a third crossed", dialogue("es", 14.0, 300, overlap=0.3)
    yield "en, three in a crossfire", dialogue("en", 16.0, 120, pause_ms=200, overlap=0.2, speakers=3)
    lines = [Utterance(Span(n * 300, n * 300 + 280), f"Line number {n}.", "AB"[n % 2]) for n in range(200)]
    yield "200 lines in a minute", ("en", lines, 60_000)
    brief = [Utterance(Span(n * 1500, n * 1500 + 50), "Sí, claro.", "AB"[n % 2]) for n in range(30)]
    yield "lines of 50 ms", ("es", brief, 50_000)
    yield "an hour of dialogue", dialogue("en", RATES["en"], 3600)


def main() -> None:
    results = {}
    for name, (language, said, duration_ms) in talks():
        started = time.perf_counter()
        cues = layout(said, limits=CueLimits.of(language), duration_ms=duration_ms)
        seconds = time.perf_counter() - started
        flagged = sum(bool(cue.flags) for cue in cues)
        rules = Counter(flag for cue in cues for flag in cue.flags)
        results[name] = {"cues": len(cues), "flagged": flagged, "rules": dict(rules), "seconds": round(seconds, 2)}
        print(f"{name:<28} {flagged:>4} of {len(cues):>4} ({flagged / len(cues):6.1%})  {dict(rules) or ''}")
    OUT.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
