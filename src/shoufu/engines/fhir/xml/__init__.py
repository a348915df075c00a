"""FHIR's XML form read into its JSON form (http://hl7.org/fhir/R4/xml.html)."""

from .reading import read

__all__ = ["read"]
