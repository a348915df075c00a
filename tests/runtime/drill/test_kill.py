import json
import os
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_kills_lose_and_double_nothing() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SHOUFU_", "DJANGO_"))}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-m", "shoufu", "drill", "kill", "--rounds", "2", "--seed", "1", "--json"],
        capture_output=True, text=True, env=environment, timeout=580, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["lost"] == figures["duplicates"] == 0
    assert figures["replay_equal"] and figures["sent"] > 0
