"""Where tests find things: the project, its helpers, the real X-rays beside it."""

from pathlib import Path

HELPERS = Path(__file__).parent
ROOT = HELPERS.parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"
