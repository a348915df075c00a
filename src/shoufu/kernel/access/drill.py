from shoufu.kernel.base.neighbours import Neighbours

neighbours = Neighbours(values={"name": ("give", "end", "sign-out", "close"), "role": ("guard",), "language": ("en",)})
