"""``shoufu bench homecare``: `district` makes who gives and gets care, `coming` the planned days, `past` the visits
that were, and `measure` asks for it all as people and programs do."""
