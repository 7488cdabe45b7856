"""The leak audit: which test images training knows, by their pixels, as the same picture or by their patient.

audit         compare all parts of a data set
cached_audit  the same, kept in the store by the content of the images
Audit         what was found: pairs of images, a mask and counts for each test set
write_audit   every pair to audit.csv

For plugins, in `copies`: which images show a picture of others.
"""

from synthbench.data.audit.leaks import Audit, audit
from synthbench.data.audit.table import cached_audit, write_audit

__all__ = ["Audit", "audit", "cached_audit", "write_audit"]
