"""A benchmark file, read and checked, and its plan of trials."""
