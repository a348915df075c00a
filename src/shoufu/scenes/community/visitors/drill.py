from shoufu.kernel.base.neighbours import Neighbours

neighbours = Neighbours(
    values={
        "act": ("in", "out", "yes", "no", "withdraw", "link", "phone", "left", "longer"),
        "kind": ("visitor", "food", "repair"),
        "reason": ("drill",),
        # A link opens for whoever holds it; here somebody guesses one.
        "token": ("AAAAAAAAAAAAAAAAAAAAAA",),
    }
)
