"""Learning from outcomes: which numbers of a rule would have spared false alarms. Proposes; a person decides."""
