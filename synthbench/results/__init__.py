"""The folder of a run: written, read back, merged, compared, packed, verified."""
