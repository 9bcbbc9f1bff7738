from prefect import flow


@flow(name="quality-report")
async def quality_report() -> None:
    """placeholder"""
