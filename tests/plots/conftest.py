import pytest
from matplotlib import pyplot as plt

from mnist_nn import evaluate


@pytest.fixture(autouse=True)
def _project_style():
    with plt.style.context("mnist_nn.style"):
        yield
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()  # a warning about the layout is an error


@pytest.fixture(scope="module")
def result(trained, mnist):
    return evaluate(trained[0], mnist.validation)


def texts(ax):
    """Return all texts in the Axes."""
    return [text.get_text() for text in ax.texts]
