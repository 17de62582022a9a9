"""Tests of the internal modules: files and checkpoints."""
