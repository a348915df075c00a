"""The evaluator process: rules over the log, live."""
