"""How far a model can be trusted: abstaining, robustness, significance and attribution."""
