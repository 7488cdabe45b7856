"""Generators that need no Python: images made elsewhere, and programs that make them."""
