"""Draws more images than asked for from another generator and keeps those that a policy picks."""
