"""What was published for a session: the files of its newest finished revision, and what was found in its lines."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pydantic import ValidationError

from dubline.domain.errors import StoreUnavailable
from dubline.gateway.errors import Refused, not_found
from dubline.gateway.schemas import ArtifactShown, LineShown, LinesShown, PhraseShown
from dubline.publication import MANIFEST, Manifest, ManifestDub, ManifestLine
from dubline.reporting.model import RunReport
from dubline.storage.session_files import Files
from dubline.storage.sessions.model import Session

REPORT = "report.json"


@dataclass(frozen=True, slots=True)
class Published:
    """The files of one revision."""

    session: Session
    revision: int
    files: Files
    manifest: Manifest

    def name(self, path: str) -> str:
        """A published file's name among the session's files. Raises Refused for any other."""
        if path != MANIFEST and path not in {file.path for file in self.manifest.files}:
            raise not_found("artifact", path)
        return f"out/{self.revision}/{path}"

    def artifacts(self) -> list[ArtifactShown]:
        return [ArtifactShown(**file.model_dump()) for file in self.manifest.files]

    def dub(self, language: str) -> ManifestDub:
        found = next((dub for dub in self.manifest.dubs if dub.language == language), None)
        if found is None:
            raise not_found("language of this session", language)
        return found

    async def content(self, path: str) -> bytes:
        return await asyncio.to_thread(_whole, self.files, self.name(path))

    async def report(self) -> RunReport:
        return RunReport.model_validate_json(await self.content(REPORT))

    async def lines(self, language: str) -> LinesShown:
        dub, report = self.dub(language), await self.report()
        broken: dict[str, list[str]] = {}
        for finding in next(one for one in report.dubs if one.language == language).findings:
            for subject in finding.subjects:
                broken.setdefault(subject.partition(".")[0], []).append(finding.rule)
        lines = [_line(line, broken.get(line.segment, [])) for line in dub.lines]
        return LinesShown(language=language, revision=self.revision, lines=lines)


async def published(session: Session) -> Published:
    """Raises Refused where nothing is finished yet."""
    if session.dubbed is None:
        raise Refused(409, "no-dub-yet", f"The session is {session.state}; there are no results yet.")
    files = session.files
    content = await asyncio.to_thread(_whole, files, f"out/{session.dubbed}/{MANIFEST}")
    try:
        return Published(session, session.dubbed, files, Manifest.model_validate_json(content))
    except ValidationError:
        raise StoreUnavailable("The session's results cannot be read; dub it again.") from None


def _whole(files: Files, name: str) -> bytes:
    size = files.size(name)
    if size is None:
        raise StoreUnavailable("The session's results are not where they were put; dub it again.")
    return b"".join(files.read(name, 0, size))


def _line(line: ManifestLine, findings: list[str]) -> LineShown:
    phrases = [
        PhraseShown(text=phrase.text, start_ms=phrase.start_ms, end_ms=phrase.end_ms, clip=phrase.clip)
        for phrase in line.phrases
    ]
    return LineShown(
        **line.model_dump(exclude={"phrases", "flags"}),
        flags=list(line.flags),
        findings=list(dict.fromkeys(findings)),
        phrases=phrases,
    )
