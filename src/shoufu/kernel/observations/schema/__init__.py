from shoufu.kernel.observations.schema.validator import ResultError, Validator, compile_schema

__all__ = ["ResultError", "Validator", "compile_schema"]
