from shoufu.kernel.base.neighbours import Neighbours

neighbours = Neighbours(
    values={"act": ("reached", "going", "cannot", "help", "press", "leave", "pause", "helper", "sensors", "worker")},
    texts={"Check.reason": "silent", "Check.step": "door", "Entry.step": "door", "Entry.what": "asked"},
)
