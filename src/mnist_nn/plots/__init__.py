"""All figures.

Functions take numbers and return the Axes or the Figure they drew. `plt.style.use("mnist_nn.style")` gives figures
the look of this project.
"""
