"""Chest X-ray sets, and any other folder of class folders, as data sets of synthbench."""
