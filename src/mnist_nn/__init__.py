"""Recognise handwritten digits with the textbook network 784-128-64-10, trained and measured well.

    from mnist_nn import build_model, evaluate, load_mnist, predict_digit, train

The public names are listed in `__init__.pyi` and loaded when they are first used: `import mnist_nn` alone loads
neither TensorFlow nor matplotlib.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
