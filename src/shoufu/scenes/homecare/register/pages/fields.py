from shoufu.kernel.base.forms import Field, Reader, cents, state

__all__ = ["Field", "Reader", "cents", "state"]
