"""Tests of the way from a picture file to digits, and of the drawing pad in a real browser."""
