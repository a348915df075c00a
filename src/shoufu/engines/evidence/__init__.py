"""Evidence bundles: one ZIP with files, a manifest, a time stamp and a signature, checkable by anyone offline."""

from .archive import CanonicalZip
from .manifest import FORMAT, MANIFEST, SIGNATURE, TIMESTAMP, File, Gap, Manifest, Signature, canonical, fingerprint
from .signing import sign
from .verify import Fault, Report, verify

__all__ = [
    "FORMAT",
    "MANIFEST",
    "SIGNATURE",
    "TIMESTAMP",
    "CanonicalZip",
    "Fault",
    "File",
    "Gap",
    "Manifest",
    "Report",
    "Signature",
    "canonical",
    "fingerprint",
    "sign",
    "verify",
]
