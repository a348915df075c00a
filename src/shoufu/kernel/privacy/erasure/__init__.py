from shoufu.kernel.privacy.erasure.run import Outcome, erase
from shoufu.kernel.privacy.erasure.subject import gather

__all__ = ["Outcome", "erase", "gather"]
