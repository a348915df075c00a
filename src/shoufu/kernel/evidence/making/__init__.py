"""Makes the bundle of an export: copies with faces hidden, sealed originals, data, a page, manifest and signature."""

from shoufu.kernel.evidence.making.job import run

__all__ = ["run"]
