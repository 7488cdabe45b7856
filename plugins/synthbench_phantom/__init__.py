"""Procedural chest radiographs, the embedded default data set."""
