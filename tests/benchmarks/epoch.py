"""Time one warped training epoch beside scikit-learn's plain one: `python tests/benchmarks/epoch.py`.

Both over the 55,000 training images in one run on a quiet machine; the ratio is what counts. Ours at batches of 1,024,
every image warped; `MLPClassifier((128, 64))` at its own batches of 200, without any warp.
"""

import statistics
import time
import warnings
from itertools import pairwise

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from mnist_nn import build_model, load_mnist, train
from mnist_nn.backend import keras

EPOCHS = 8


def main():
    """Print the median seconds of an epoch of each, the first one (compilation) left out, and their ratio."""
    mnist = load_mnist()
    ends = []
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    train(build_model(), mnist.train, mnist.validation[:1000], epochs=EPOCHS, verbose=0, callbacks=[clock])
    ours = statistics.median(later - earlier for earlier, later in pairwise(ends))

    images = (mnist.train.images.reshape(-1, 784) / 255).astype("float32")
    network = MLPClassifier((128, 64), max_iter=1, warm_start=True, random_state=0)
    seconds = []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch at a time never converges
            network.fit(images, mnist.train.labels)
        seconds.append(time.perf_counter() - start)
    theirs = statistics.median(seconds[1:])
    print(f"ours, warped: {ours:.2f} s   MLPClassifier, plain: {theirs:.2f} s   ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
