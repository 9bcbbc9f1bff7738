"""A flow with the parameters of `translate-video` that translates nothing; a video called `bad` fails it."""

# No postponed annotations: `serve` sends the flow's code alone to its processes, without the names of its module.
from prefect import flow
from prefect.deployments.runner import EntrypointType

from dubline.domain.errors import UnsupportedLanguage
from dubline.request import TranslateRequest


@flow(name="stand-in", persist_result=False)
async def stand_in(request: TranslateRequest) -> None:
    if request.video.stem == "bad":
        raise UnsupportedLanguage("There is no voice for it; choose another profile.")
    request.out.mkdir(parents=True)
    (request.out / "dub.mp4").write_bytes(request.video.read_bytes())


def serve(name: str) -> None:
    stand_in.serve(name=name, entrypoint_type=EntrypointType.MODULE_PATH, pause_on_shutdown=False)
