"""All figures.

Functions take what the other functions of the package return, and return the Axes or the Figure they drew.
`plt.style.use("mnist_nn.style")` gives figures the look of this project.
"""
