"""The `dubline` command. Heavy imports stay inside the commands that need them: `--help` answers at once."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from dubline.domain.errors import DublineError, InvalidRequest, OutputUnavailable, ServiceUnavailable

INTERRUPTED = "Interrupted; the same command goes on from here."
INTERRUPT_GRACE_S = 3.0
DISK_ERRORS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS))

app = typer.Typer(
    help="Translate videos: the same picture with dubbed speech, subtitles and a quality report.",
    epilog="Exit codes: 0 done, 2 wrong request, 3 not a readable video, 4 unsupported language, 5 output cannot be "
    "written, 6 model or program missing, 7 quality gate failed, 8 engine failed, 9 ffmpeg failed, 10 Prefect server, "
    "S3 store, web server or clamd unreachable, 130 interrupted, 1 anything nobody foresaw.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="Weights of the engines: what there is, where it comes from, whether it is here.")
app.add_typer(models_app, name="models", no_args_is_help=True)
keys_app = typer.Typer(help="API keys of the gateway.")
app.add_typer(keys_app, name="keys", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print the result as one line of JSON, and no progress.")]


@app.command()
def translate(
    video: Annotated[
        str, typer.Argument(help="The video to translate: a path, s3://bucket/key or an https:// address.")
    ],
    to: Annotated[list[str], typer.Option("--to", help="Target language, such as es; may be given several times.")],
    source: Annotated[
        str | None, typer.Option("--from", help="Spoken language; found by listening if left out.")
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|TITLE",
            help="Audio track to dub, by its number from 1 on or its title; found by language and voices if left out.",
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="Which engines to use: offline, offline-whisperx, standard or studio.")
    ] = "offline",
    out: Annotated[
        str | None,
        typer.Option(help="Where results go, a path or s3://bucket/prefix.", show_default="out/<video's name>"),
    ] = None,
    glossary: Annotated[
        Path | None, typer.Option(help="CSV or YAML file with terms and their fixed translations.")
    ] = None,
    voice: Annotated[
        list[str] | None,
        typer.Option(metavar="SPEAKER=VOICE", help="A speaker's voice, such as S1=em_alex; several times, if need be."),
    ] = None,
    cast: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The voices of this cast.yaml, as a run wrote it.")
    ] = None,
    edits: Annotated[
        Path | None, typer.Option(metavar="FILE", help="YAML or JSON file with edits of single lines.")
    ] = None,
    burn_in: Annotated[
        bool, typer.Option("--burn-in", help="Also make a video with the subtitles drawn into its picture.")
    ] = False,
    loudness: Annotated[
        float | None,
        typer.Option(min=-40, max=-8, metavar="LUFS", help="Loudness of the dub.", show_default="the source's own"),
    ] = None,
    refresh: Annotated[str | None, typer.Option(metavar="STAGE", help="Recompute from this stage on.")] = None,
    as_json: Json = False,
) -> None:
    """Translate a video: dubbed video, subtitles in both languages, report.html and report.json."""
    from dubline import cast_file, glossaries
    from dubline import edits as line_edits
    from dubline.display import shown
    from dubline.domain.glossary import NO_GLOSSARY
    from dubline.request import TranslateRequest
    from dubline.storage.locations import located, located_video
    from flows import launch
    from flows.before import placed

    source_video = located_video(video)
    request = TranslateRequest(
        video=source_video,
        languages=tuple(dict.fromkeys(to)),
        out=located(out or f"out/{source_video.stem}"),
        source_language=source,
        track=track,
        profile=profile,
        glossary=glossaries.read(glossary) if glossary else NO_GLOSSARY,
        voices=(*(cast_file.read(cast) if cast else ()), *map(cast_file.parse, voice or ())),
        edits=line_edits.read(edits) if edits else (),
        burn_in=burn_in,
        loudness=loudness,
        refresh=refresh,
    )
    try:
        with shown(request.languages, quiet=as_json), nullcontext(request) if out else placed(request) as request:
            manifest = launch.run(request)
    finally:
        launch.close()
    if not out and request.out.name != source_video.stem:
        typer.echo(f"note: out/{source_video.stem} is another video's; the results are in {request.out}.", err=True)
    if as_json:
        typer.echo(manifest.model_dump_json())
        return
    for file in manifest.files:
        if file.role != "clip":
            typer.echo(f"{file.role:<14} {request.out / file.path}")
    for warning in manifest.warnings:
        typer.echo(f"note: {warning}", err=True)


@app.command()
def evaluate(
    folder: Annotated[Path, typer.Argument(help="A folder that `dubline translate` wrote.")],
    as_json: Json = False,
) -> None:
    """Measure a finished dub from its media and clips alone, beside each goal and reference point."""
    from dubline.evaluation import rows, table

    measured = rows(folder)
    typer.echo(json.dumps([row.as_dict() for row in measured]) if as_json else table(measured))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is installed, which models are here, what is missing and the command that mends it."""
    from dubline.doctor import examine

    findings = examine()
    if as_json:
        typer.echo(json.dumps([finding.as_dict() for finding in findings]))
    else:
        for finding in findings:
            typer.echo(str(finding))
    if not all(finding.ok for finding in findings if finding.required):
        raise typer.Exit(6)


@models_app.command("list")
def models_list(as_json: Json = False) -> None:
    """Show source, size, licence and state of every model."""
    from dubline.doctor import model_lines

    lines = model_lines()
    typer.echo(json.dumps(lines) if as_json else _columns(lines))


@models_app.command("pull")
def models_pull(
    names: Annotated[list[str] | None, typer.Argument(help="Models, as `dubline models list` names them.")] = None,
    profile: Annotated[str | None, typer.Option(help="All models of this profile.")] = None,
) -> None:
    """Fetch models, check each file's sha256, and put them where the engines look."""
    from dubline import profiles
    from dubline.engines.models import ModelStore
    from dubline.engines.registry import models_of
    from dubline.settings import settings

    wanted = list(names or ())
    if profile:
        wanted += [model for spec in profiles.load(profile).engines for model in models_of(spec)]
    if not wanted:
        raise InvalidRequest("Name a model or a profile, as in: dubline models pull --profile offline.")
    store = ModelStore(settings().models)
    for name in dict.fromkeys(wanted):
        store.pull(name)
        typer.echo(f"{name}: {store.path(name)}")


@app.command()
def up() -> None:
    """Start the local Prefect server, with its UI, and leave it running."""
    from dubline import server

    typer.echo(f"Prefect UI: {server.wait(server.start()).url}")


@app.command()
def down() -> None:
    """Stop the local Prefect server."""
    from dubline import server

    typer.echo("stopped" if server.stop() else "no server was running")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port.", show_default="8080")] = None,
) -> None:
    """Serve sessions over HTTP, with a page for people: gateway, Prefect server and a worker on this machine."""
    from dubline.gateway.settings import gateway_settings
    from dubline.standalone import serve as run

    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    run(gateway_settings().model_copy(update=given), typer.echo)


@keys_app.command("make")
def keys_make(
    name: Annotated[str, typer.Argument(help="What it is for, such as a person or a program.")],
    tenant: Annotated[str, typer.Option(help="Whose sessions it opens; made where there is none.")] = "default",
    role: Annotated[str, typer.Option(help="viewer, editor, operator or admin.")] = "editor",
) -> None:
    """Make an API key and show it, this once."""
    from dubline.storage import accounts
    from dubline.storage.database import Database

    async def made() -> str:
        async with Database.opened() as database:
            return (await accounts.make_key(database, tenant, name, accounts.role_of(role)))[1]

    typer.echo(asyncio.run(made()))


@keys_app.command("list")
def keys_list(tenant: Annotated[str, typer.Option(help="Whose keys.")] = "default") -> None:
    """Show a tenant's keys, without their secrets."""
    from dubline.storage import accounts
    from dubline.storage.database import Database

    async def found() -> list[dict[str, str]]:
        async with Database.opened() as database:
            return [
                {
                    "id": key.id,
                    "name": key.name,
                    "role": key.role,
                    "state": "revoked" if key.revoked else "valid",
                    "used": f"{key.used:%Y-%m-%d %H:%M}" if key.used else "never",
                }
                for key in await accounts.keys(database, tenant)
            ]

    rows = asyncio.run(found())
    typer.echo(_columns(rows) if rows else f"The tenant '{tenant}' has no keys.")


@keys_app.command("revoke")
def keys_revoke(
    key: Annotated[str, typer.Argument(help="A key's id, as `dubline keys list` shows it.")],
    tenant: Annotated[str, typer.Option(help="Whose key.")] = "default",
) -> None:
    """End a key at once."""
    from dubline.storage import accounts
    from dubline.storage.database import Database

    async def ended() -> bool:
        async with Database.opened() as database:
            return await accounts.revoke(database, tenant, key)

    if not asyncio.run(ended()):
        raise InvalidRequest(f"The tenant '{tenant}' has no valid key '{key}'; dubline keys list shows them.")
    typer.echo("revoked")


@app.command()
def limits(
    tenant: Annotated[str, typer.Argument(help="Whose; the tenant is made where there is none.")] = "default",
    sessions_at_once: Annotated[
        int | None, typer.Option(min=0, help="Sessions that are queued or running; 0 takes the limit away.")
    ] = None,
    sessions_a_day: Annotated[
        int | None, typer.Option(min=0, help="Sessions that are created in 24 hours; 0 takes the limit away.")
    ] = None,
    upload_mb: Annotated[
        int | None, typer.Option(min=0, help="Size of one upload in MB; 0 takes the limit away.")
    ] = None,
) -> None:
    """Show what a tenant of the gateway may use, having set what is given."""
    from dubline.storage import accounts
    from dubline.storage.database import Database

    given = {"sessions_at_once": sessions_at_once, "sessions_a_day": sessions_a_day, "upload_mb": upload_mb}
    changed = {name: value or None for name, value in given.items() if value is not None}

    async def chosen() -> accounts.Limits:
        async with Database.opened() as database:
            known = (await accounts.ensure_tenant(database, tenant)).limits.model_copy(update=changed)
            if changed:
                await accounts.limit_tenant(database, tenant, known)
            return known

    for name, value in asyncio.run(chosen()):
        typer.echo(f"{name.replace('_', '-')}: {'no limit' if value is None else value}")


def _columns(rows: list[dict[str, str]]) -> str:
    widths = {key: max(len(key), *(len(row[key]) for row in rows)) for key in rows[0]}
    lines = [{key: key for key in widths}, *rows]
    return "\n".join("  ".join(line[key].ljust(width) for key, width in widths.items()).rstrip() for line in lines)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what went wrong into one sentence and a documented exit code."""
    try:
        yield
    except DublineError as error:
        _fail(str(error), error.exit_code)
    except (_Interrupted, asyncio.CancelledError):
        _fail(INTERRUPTED, 130)
    except Exception as error:
        if os.environ.get("DUBLINE_DEBUG"):
            raise
        _fail(*_sentence(error))


def _sentence(error: Exception) -> tuple[str, int]:
    """What to say of an error that is not Dubline's own, and the exit code."""
    if _is_connection(error):
        sentence = f"The Prefect server stopped answering ({error}); run `dubline up` and try again."
        return sentence, ServiceUnavailable.exit_code
    if isinstance(error, OSError) and error.errno in DISK_ERRORS:
        sentence = f"Cannot write {error.filename or 'a file'}: {os.strerror(error.errno)}; make room and try again."
        return sentence, OutputUnavailable.exit_code
    return f"Unexpected {type(error).__name__}: {error}. Set DUBLINE_DEBUG=1 for details; this is a bug.", 1


def _is_connection(error: BaseException) -> bool:
    return type(error).__module__.split(".")[0] in {"httpx", "httpcore"}


def _fail(sentence: str, code: int) -> None:
    print(f"dubline: {' '.join(sentence.split())}", file=sys.stderr)
    sys.stdout.flush()
    # Daemon threads may hold a native runtime that takes its time to wind down; nothing of ours is left to do.
    os._exit(code)


class _Interrupted(BaseException):
    """Ctrl-C. Not a KeyboardInterrupt: typer would answer that with a word of its own."""


def _interrupt(*_: object) -> None:
    """End soon: an engine at work cannot be stopped, and is not waited for."""
    watchdog = threading.Timer(INTERRUPT_GRACE_S, _fail, (INTERRUPTED, 130))
    watchdog.daemon = True
    watchdog.start()
    raise _Interrupted


def main() -> None:
    from dubline.proxies import spare_loopback
    from dubline.settings import share_threads

    signal.signal(signal.SIGINT, _interrupt)
    with _explained():
        spare_loopback()
        share_threads()
        app()


if __name__ == "__main__":
    main()
