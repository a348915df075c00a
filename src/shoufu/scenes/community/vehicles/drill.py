from shoufu.kernel.base.neighbours import Neighbours

neighbours = Neighbours(texts={"Passage.snapshot": ""})
