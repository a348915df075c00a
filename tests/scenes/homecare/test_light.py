import os
import subprocess
import sys

LOADED = """
import sys
from shoufu.runtime.django import setup
setup()
import django.urls
django.urls.get_resolver().url_patterns
from shoufu.kernel.booking.providers import all_providers
all_providers()
print(sorted({"numba", "llvmlite"} & sys.modules.keys()))
"""


def test_a_process_that_plans_nothing_does_not_load_the_compiled_engine() -> None:
    """It is a tenth of the memory that the whole product may take, in every process that serves pages."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=env)
    assert done.stdout.strip().splitlines()[-1] == "[]"
