from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import click

from shoufu.engines.tracking import count
from shoufu.engines.vision import Detector, DetectorError, DetectorOptions
from shoufu.runtime import models
from shoufu.runtime.watcher.costs import Costs
from shoufu.runtime.watcher.pipeline import Pipeline, PipelineOptions
from shoufu.runtime.watcher.video import Video, VideoError, open_file

_REPORT_EVERY = 5.0
_TRUNCATED = 0.98


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
@click.option("--stages", is_flag=True, help="Report what each stage costs.")
@click.option(
    "--rate",
    default=6.0,
    show_default=True,
    type=click.FloatRange(0.5, 60),
    help="Pictures a second looked at; twice as many while something is fast.",
)
@click.option(
    "--threads", type=click.IntRange(1, 64), help="Threads of the detector; all cores (at most 4) if not given."
)
def command(file: Path, as_json: bool, stages: bool, rate: float, threads: int | None) -> None:
    """Count the distinct people and vehicles that move in FILE."""
    costs = Costs()
    start = time.perf_counter()
    try:
        detector = _detector(threads)
        with open_file(file, costs) as video:
            pipeline = Pipeline(detector, costs, PipelineOptions(rate=rate))
            _run(video, pipeline)
            found = count(pipeline.tracker.finish())
            elapsed = time.perf_counter() - start
            result: dict[str, object] = {
                "frames": video.decoded,
                "seconds": round(elapsed, 2),
                "fps": round(video.decoded / elapsed, 1),
                "persons": found.persons,
                "vehicles": found.vehicles,
            }
            trouble = _trouble(file, video)
            if video.broken:
                result["broken"] = video.broken
    except (models.ModelError, DetectorError, VideoError) as error:
        raise click.ClickException(str(error)) from error
    if stages:
        result["stages"] = costs.figures()
        for stage, cost in costs.stages.items():
            click.echo(f"{stage:<8} {cost.runs:>7} runs {cost.seconds:>8.2f} s {cost.mean_ms:>8.2f} ms each", err=True)
    if as_json:
        click.echo(json.dumps(result))
    else:
        click.echo(f"{found.persons} people and {found.vehicles} vehicles in {video.decoded} frames ({elapsed:.1f} s)")
    if trouble:
        click.echo(f"Error: {trouble}", err=True)
        sys.exit(1)


def _detector(threads: int | None) -> Detector:
    return Detector(models.path("detector"), DetectorOptions(threads=threads or min(4, os.cpu_count() or 1)))


def _run(video: Video, pipeline: Pipeline) -> None:
    reported = time.monotonic()
    for picture in video.pictures():
        pipeline.process(picture)
        if time.monotonic() - reported >= _REPORT_EVERY:
            reported = time.monotonic()
            of = f" of {video.expected}" if video.expected else ""
            click.echo(f"frame {picture.index + 1}{of}", err=True)


def _trouble(file: Path, video: Video) -> str | None:
    """What is wrong with a file that could be watched all the same."""
    if video.expected and video.decoded + video.broken < video.expected * _TRUNCATED:
        return f"{file}: ends early, {video.decoded} of {video.expected} frames are there; the file is truncated"
    if video.broken > video.decoded:
        return f"{file}: {video.broken} frames are broken and only {video.decoded} could be used"
    if video.broken:
        click.echo(f"Warning: {file}: {video.broken} broken frames left out", err=True)
    return None
