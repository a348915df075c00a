from shoufu.runtime.drill.payments.run import Figures, run

__all__ = ["Figures", "run"]
