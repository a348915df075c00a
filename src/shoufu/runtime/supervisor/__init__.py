"""The supervisor of one machine: starts every process, watches it, restarts it, and ends them all."""

from shoufu.runtime.supervisor.spec import Spec
from shoufu.runtime.supervisor.supervisor import Supervisor

__all__ = ["Spec", "Supervisor"]
