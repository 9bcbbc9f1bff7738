"""The dubs of many runs in one table, held against the goals: what the data team reads.

Gates judge one run; this looks at what runs have in common. Its page is Great Expectations' own Data Docs.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dubline.domain.timeline import EARLY_MS, LATE_MS, MAX_RATE, MIN_RATE, SMALL_STRETCH
from dubline.publication import Manifest, ManifestDub, ManifestPhrase

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "video",
    "language",
    "minutes",
    "lines",
    "kept_original",
    "onsets_on_time",
    "small_stretch",
    "slowest",
    "fastest",
    "work_per_minute",
)
"""Of the table: a dub a row. Shares are 0..1, rates against the voice's own, work in seconds a minute of video."""


def table(manifests: Iterable[Manifest]) -> pd.DataFrame:
    """A row for every dub that has lines."""
    import pandas as pd

    rows = [row for manifest in manifests for row in _rows(manifest)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(manifest: Manifest) -> Iterator[dict[str, Any]]:
    for dub in manifest.dubs:
        if dub.lines:
            minutes = manifest.duration_ms / 60_000
            yield {
                "video": manifest.source.rpartition("/")[2],
                "language": dub.language,
                "minutes": round(minutes, 2),
                "lines": len(dub.lines),
                "kept_original": _share(not line.phrases for line in dub.lines),
                **_timing(dub),
                "work_per_minute": round(sum(manifest.stage_seconds.values()) / max(minutes, 1e-3), 1),
            }


def _timing(dub: ManifestDub) -> dict[str, float | None]:
    phrases = [phrase for line in dub.lines for phrase in line.phrases]
    rates = [phrase.speed * phrase.stretch for phrase in phrases]
    return {
        "onsets_on_time": _share(_on_time(phrase) for phrase in phrases),
        "small_stretch": _share(abs(phrase.stretch - 1) <= SMALL_STRETCH for phrase in phrases),
        "slowest": round(min(rates), 3) if rates else None,
        "fastest": round(max(rates), 3) if rates else None,
    }


def _on_time(phrase: ManifestPhrase) -> bool:
    return -EARLY_MS <= phrase.start_ms - phrase.source_start_ms <= LATE_MS


def _share(truths: Iterable[bool]) -> float | None:
    found = list(truths)
    return round(sum(found) / len(found), 3) if found else None


def data_docs(dubs: pd.DataFrame, title: str) -> str:
    """One HTML page: the goals as expectations over the table, with the dubs that miss them."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when it is imported
    import great_expectations as gx
    import great_expectations.expectations as expect
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    between = expect.ExpectColumnValuesToBeBetween
    goals = [
        between(column="kept_original", max_value=0.01),
        between(column="onsets_on_time", min_value=0.99),
        between(column="small_stretch", min_value=0.95),
        between(column="slowest", min_value=MIN_RATE - 1e-6),
        between(column="fastest", max_value=MAX_RATE + 1e-6),
        expect.ExpectTableRowCountToBeBetween(min_value=1),
    ]
    asset = context.data_sources.add_pandas("dubs").add_dataframe_asset(title)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": dubs})
    result = batch.validate(
        gx.ExpectationSuite(name=title, expectations=goals),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["video", "language"]},
    )
    page: str = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    return _alone(page)


_FOREIGN = re.compile(
    "|".join(
        (
            r"<link[^>]*\bhref=\"https?:[^>]*>",
            r"<img[^>]*\bsrc=\"https?:[^>]*>",
            r"<script.*?</script>",
            r"<a[^>]*\bhref=\"https?:.*?</a>",
            r"<button.*?</button>",
            r"<div class=\"modal.*?(?=<div class=\"container|<footer|</body)",
        )
    ),
    re.DOTALL,
)
STYLE = """<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1c1e21 }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
footer, .breadcrumb, #section-1 ~ .dropdown, input[type=radio] { display: none }
.fa-check-circle::before { content: "\\2713 met"; color: #2a7f62 }
.fa-times::before { content: "\\2717 missed"; color: #b3261e }
th, td { border: 1px solid #d9dce0; padding: .3rem .6rem; text-align: left; vertical-align: top }
</style>"""


def _alone(page: str) -> str:
    """The page without what it would fetch from other hosts, with a plain style in its place."""
    return _FOREIGN.sub("", page).replace("</head>", f"{STYLE}</head>", 1)
