"""The real X-rays, where they lie beside the checkout: prepared once for all tests that load them."""

import pytest

from tests.helpers.places import REAL_DATA

OPTIONS = {"image_size": 64, "channels": 1, "antialias": False}
"""As benchmarks/cxr-cpu.yaml prepares them."""

with_xrays = pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real X-rays are not beside the checkout")
