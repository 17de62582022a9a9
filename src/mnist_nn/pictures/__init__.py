"""From a picture file to digits.

loading opens a picture safely; segmentation separates ink from paper; clutter removes printed lines; normalization
brings a digit to MNIST's format, 28x28 pixels; prediction asks the network; candidates, touching and reading decide
which marks are digits; digit and rows predict one digit or several; drawing_pad reads what is drawn in a notebook.
"""
