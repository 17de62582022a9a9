"""Tests of the internal modules: files, checkpoints, distributed training and the Muon optimiser."""
