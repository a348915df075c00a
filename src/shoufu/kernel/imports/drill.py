from shoufu.kernel.base.neighbours import Neighbours

neighbours = Neighbours(values={"kind_code": ("places",)}, texts={"Import.kind": "places"})
