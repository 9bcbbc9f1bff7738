"""What a verdict means for the run."""

from __future__ import annotations

from dubline.domain.errors import GateFailed
from dubline.storage.results import Verdict
from quality_suites.catalogue import suite


def require(verdict: Verdict) -> Verdict:
    """Hand the verdict on. Raises GateFailed, naming segment and rule, when a critical rule did not hold."""
    critical = [finding.message for finding in verdict.findings if finding.severity == "critical"]
    if critical:
        raise GateFailed(f"The {verdict.suite} gate failed: {'; '.join(critical)}. {suite(verdict.suite).remedy}")
    return verdict
