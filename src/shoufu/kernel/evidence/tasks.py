from procrastinate.contrib.django import app


@app.task(queue="evidence", pass_context=False)
def make(export_id: int) -> None:
    """Make a bundle; its row shows progress and result."""
    # The detector and FFmpeg are loaded by the first bundle only: an idle worker stays small.
    from shoufu.kernel.evidence.making import run

    run(export_id)


@app.periodic(cron="*/10 * * * *")
@app.task(queue="evidence", queueing_lock="evidence.expire", pass_context=False)
def expire(timestamp: int) -> int:
    """Every ten minutes: delete bundles past their end."""
    from shoufu.kernel.evidence import services

    return services.expire()


@app.periodic(cron="37 3 * * *")
@app.task(queue="evidence", queueing_lock="evidence.release", pass_context=False)
def release(timestamp: int) -> int:
    """Every night: let go of pictures of cases that ended a year ago and have no hold."""
    from shoufu.kernel.evidence import services

    return services.release_old()
