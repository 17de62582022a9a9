"""From a picture file to digits.

loading opens a picture safely; sheet finds the paper; page measures how strokes stand out from it; segmentation
separates ink from paper; straightening, lines and clutter find and remove printed lines; normalization brings a digit
to MNIST's format, 28x28 pixels; prediction asks the network; candidates, joining, touching and reading decide which
marks are digits; digit and rows predict one digit or several; table reads many pictures; drawing_pad reads what is
drawn in a notebook.
"""
