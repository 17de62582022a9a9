"""How far a model can be trusted: calibration, abstaining, robustness, significance and attribution."""
