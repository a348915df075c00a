import subprocess
import sys

LOADED = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shoufu.runtime.settings")
import django
django.setup()
import django.urls
django.urls.get_resolver().url_patterns
from shoufu.kernel.booking.providers import all_providers
all_providers()
import shoufu.runtime.worker
print(sorted({"numba", "llvmlite"} & sys.modules.keys()))
"""


def test_a_process_that_plans_nothing_does_not_load_the_compiled_engine() -> None:
    """It is a tenth of the memory that the whole product may take, in every process that serves pages."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
