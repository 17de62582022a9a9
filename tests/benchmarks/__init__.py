"""Scripts that measure notebooks/results, and timings; README.md lists them."""
