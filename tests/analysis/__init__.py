"""Tests of selective prediction, robustness, significance and attribution."""
