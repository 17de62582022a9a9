"""Tests of calibration, selective prediction, robustness, significance and attribution."""
