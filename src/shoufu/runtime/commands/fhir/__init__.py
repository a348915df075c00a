"""HL7 FHIR R4: check resources."""
