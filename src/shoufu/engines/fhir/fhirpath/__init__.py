"""FHIRPath N1 over the JSON of FHIR resources: as much of it as the invariants of R4 use."""

from .evaluate import Scope, evaluate, holds, prepared
from .nodes import Node, resource
from .syntax import FhirPathError, parse

__all__ = ["FhirPathError", "Node", "Scope", "evaluate", "holds", "parse", "prepared", "resource"]
