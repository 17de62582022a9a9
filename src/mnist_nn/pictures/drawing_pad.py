"""A pad to draw a digit on in a notebook; the network classifies it while it is drawn.

The page's side (drawing_pad.js and drawing_pad.css) handles the pen, this side handles the network. They share three
traits: `drawing` and its number `turn` come from the page, and `answer` goes back.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from ..model import ModelLike, check_model, load_network, predict_probabilities
from .digit import predict_digit
from .loading import ImageLike, brightness, open_picture
from .prediction import Prediction
from .rows import count_digits

try:
    import anywidget
    import traitlets
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"DrawingPad needs the package {error.name}; install it with: pip install anywidget", name=error.name
    ) from None

DRAWING_SIDE_PX = 140  # of the drawing that the page sends, as in drawing_pad.js
BLANK_BRIGHTNESS = 230  # a drawing without darker pixels is blank: erased strokes leave faint traces
EMPTY_TEXT = "draw a digit"
FOLDER = Path(__file__).parent


class DrawingPad(anywidget.AnyWidget):
    """A pad to draw a digit on with mouse, pen, finger or keys; the prediction is shown beside it.

    Put it in the last line of a cell. Pages without a kernel show a picture of it instead. Later cells can use its
    attributes:

    - `prediction`: the Prediction for the drawing, or None while the pad is empty or the drawing cannot be read;
    - `image`: the drawing, uint8 (140, 140), dark ink on white;
    - `text`: the answer in words, such as "5 (99.8 %)".

    Args:
        model: A Keras model from (n, 28, 28) pixels to (n, 10) probabilities, or a Network. None means the pretrained
            network.
        image: A drawing to start with: a path, the bytes of a file, a Pillow image or an array.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not a picture, an array has another form, or `model` is not such a model.

    Example:
        >>> from mnist_nn import DrawingPad
        >>> DrawingPad()
        DrawingPad(draw a digit)
    """

    _esm = FOLDER / "drawing_pad.js"
    _css = FOLDER / "drawing_pad.css"
    # Not echoed: the page knows its own drawing.
    drawing = traitlets.Bytes(help="grey values of the drawing, 140x140 bytes, or nothing").tag(
        sync=True, echo_update=False, from_json=lambda value, _: bytes(value) if type(value) is memoryview else value
    )
    turn = traitlets.Int(help="the number of the drawing").tag(sync=True, echo_update=False)
    answer = traitlets.Dict(help="turn, text, probabilities and pixels of the answer").tag(sync=True)

    def __init__(self, model: ModelLike | None = None, image: ImageLike | None = None) -> None:
        self.model: ModelLike = load_network() if model is None else check_model(model)
        predict_probabilities(self.model, np.zeros((1, 28, 28), np.uint8))  # warm up: the first call is slow
        self.prediction: Prediction | None = None
        super().__init__(drawing=b"" if image is None else _to_drawing(image).tobytes())
        self._predict()

    @property
    def image(self) -> np.ndarray:
        """The drawing, uint8 (140, 140), dark ink on white."""
        if not self.drawing:
            return np.full((DRAWING_SIDE_PX, DRAWING_SIDE_PX), 255, np.uint8)
        return np.frombuffer(self.drawing, np.uint8).reshape(DRAWING_SIDE_PX, DRAWING_SIDE_PX)

    @property
    def text(self) -> str:
        """The answer in words, such as "5 (99.8 %)"."""
        return self.answer["text"]

    def __repr__(self) -> str:
        return f"DrawingPad({self.text})"

    @traitlets.validate("drawing")
    def _check_drawing(self, proposal: dict) -> bytes:
        size, expected = len(proposal["value"]), DRAWING_SIDE_PX * DRAWING_SIDE_PX
        if size not in (0, expected):
            raise traitlets.TraitError(f"drawing must have 0 or {expected:,} bytes, not {size:,}")
        return proposal["value"]

    @traitlets.observe("turn")
    def _predict(self, change: dict | None = None) -> None:
        self.prediction, text = None, EMPTY_TEXT
        try:
            if self.image.min() < BLANK_BRIGHTNESS:
                self.prediction = predict_digit(self.model, self.image)
                text = f"{self.prediction.digit} ({100 * self.prediction.confidence:.1f} %)"
                text = text if self.prediction.sure else f"not sure: {text}"
                count = count_digits(self.model, self.image, self.prediction)
                text = f"{count} digits found" if count > 1 else text
        except Exception as error:  # always answer, because the page waits for it
            text = f"cannot be read: {error}"
        nothing = Prediction(np.zeros(10, np.float32), np.zeros((28, 28), np.uint8), (0, 0, 0, 0), clear=False)
        shown = self.prediction or nothing
        self.answer = {
            "turn": self.turn,
            "text": text,
            "probabilities": shown.probabilities.tolist(),
            "pixels": shown.pixels.tobytes(),
        }

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        """Return the live pad, and a picture of it for pages without a kernel."""
        bundle: Any = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle
        file = io.BytesIO()
        self._draw_still().save(file, "PNG")
        return data | {"image/png": base64.b64encode(file.getvalue()).decode()}, metadata

    def _draw_still(self) -> Image.Image:
        """Return the pad as it looks now, 640x304 pixels."""
        still = Image.new("RGB", (640, 304), "white")
        draw = ImageDraw.Draw(still)
        small, large = ImageFont.load_default(14), ImageFont.load_default(24)
        pixels = Image.frombytes("L", (28, 28), self.answer["pixels"])
        for picture, box in [
            (Image.fromarray(self.image).resize((280, 280), Image.Resampling.BICUBIC), (12, 12, 292, 292)),
            (ImageOps.invert(pixels).resize((84, 84), Image.Resampling.NEAREST), (544, 56, 628, 140)),
        ]:
            still.paste(picture, box)
            draw.rectangle(box, outline="#888888")
        draw.text((316, 14), self.text, "black", large)
        draw.text((544, 146), "what the\nnetwork sees", "#444444", small)
        for digit, value in enumerate(self.answer["probabilities"]):
            y = 58 + 24 * digit
            draw.text((316, y), str(digit), "black", small)
            draw.rectangle((332, y + 2, 458, y + 15), "#e6e6e6")
            if value > 0.004:  # half a pixel
                color = "#0072b2" if value == max(self.answer["probabilities"]) else "#999999"
                draw.rectangle((332, y + 2, 332 + round(126 * value), y + 15), color)
            draw.text((518, y), f"{100 * value:.1f} %", "black", small, anchor="ra")
        return still


def _to_drawing(image: ImageLike) -> np.ndarray:
    """Convert a picture to a drawing: uint8 (140, 140), dark ink on white."""
    grey = Image.fromarray(np.round(255 * brightness(open_picture(image))).astype(np.uint8))
    if np.median(np.asarray(grey)) < 128:  # light on dark
        grey = ImageOps.invert(grey)
    grey = ImageOps.autocontrast(grey, cutoff=(0, 50))  # whiten the paper, which is more than half of the picture
    return np.asarray(ImageOps.pad(grey, (DRAWING_SIDE_PX, DRAWING_SIDE_PX), Image.Resampling.BICUBIC, color=255))
