"""A pad in a notebook to draw a digit on, which the network reads while it is drawn.

The page's side, drawing.js and drawing.css, holds the pen; this side holds the network. They share three traits:
`drawing` and its number, `turn`, come from the page, and `answer` goes back.
"""

import base64
import io
from pathlib import Path

import anywidget
import numpy as np
import traitlets
from PIL import Image, ImageDraw, ImageFont, ImageOps

from .digit import Prediction, predict_digit
from ..network import check_model, load_network, predict_probabilities
from .loading import open_picture

SIDE = 140  # pixels each way of the drawing that the page sends, as in drawing.js
EMPTY = "draw a digit"
HERE = Path(__file__).parent


class DrawingPad(anywidget.AnyWidget):
    """A pad to draw a digit on, with mouse, pen, finger or keys, beside what the network makes of it.

    Put it in the last line of a cell. Where there is no kernel, its place is taken by a still picture.

    model: the network, which maps (n, 28, 28) pixels to ten probabilities; by default the one that ships.
    image: a drawing to begin with, whatever `prepare_image` takes.

    Later cells can use the attributes
    prediction: what the network reads, a Prediction; None while the pad is empty or cannot be read.
    image: the drawing, uint8 (140, 140), dark ink on white.
    text: the answer in words, such as "5 (99.8 %)".

    Raises ValueError for another model or picture, FileNotFoundError for a picture that is not there.
    """

    _esm = HERE / "drawing_pad.js"
    _css = HERE / "drawing_pad.css"
    # The page knows its own drawing: nothing of it is sent back.
    drawing = traitlets.Bytes(help="the drawing's grey values, 140x140 bytes, or none at all").tag(
        sync=True, echo_update=False, from_json=lambda value, _: bytes(value) if type(value) is memoryview else value
    )
    turn = traitlets.Int(help="the number of the drawing").tag(sync=True, echo_update=False)
    answer = traitlets.Dict(help="the answer's turn, text, probabilities and pixels").tag(sync=True)

    def __init__(self, model=None, image=None) -> None:
        self.model = load_network() if model is None else check_model(model)
        predict_probabilities(self.model, np.zeros((1, 28, 28), np.uint8))  # a network's first answer is a slow one
        self.prediction: Prediction | None = None
        super().__init__(drawing=b"" if image is None else _paper(image).tobytes())
        self._read()

    @property
    def image(self) -> np.ndarray:
        if not self.drawing:
            return np.full((SIDE, SIDE), 255, np.uint8)
        return np.frombuffer(self.drawing, np.uint8).reshape(SIDE, SIDE)

    @property
    def text(self) -> str:
        return self.answer["text"]

    def __repr__(self) -> str:
        return f"DrawingPad({self.text})"

    @traitlets.validate("drawing")
    def _check(self, proposal: dict) -> bytes:
        if len(proposal["value"]) not in (0, SIDE * SIDE):
            raise traitlets.TraitError(f"drawing must have 0 or {SIDE * SIDE:,} bytes, not {len(proposal['value']):,}")
        return proposal["value"]

    @traitlets.observe("turn")
    def _read(self, change: dict | None = None) -> None:
        self.prediction, text = None, EMPTY
        try:
            if self.image.min() < 230:  # not for the trace of a stroke that was cleared
                self.prediction = predict_digit(self.model, self.image)
                text = f"{self.prediction.digit} ({self.prediction.confidence:.1%})".replace("%", " %")
                text = text if self.prediction.sure else f"not sure: {text}"
        except Exception as error:  # whatever it is, the page waits for an answer
            text = f"cannot be read: {error}"
        nothing = Prediction(np.zeros(10, np.float32), np.zeros((28, 28), np.uint8), (0, 0, SIDE, SIDE), clear=False)
        seen = self.prediction or nothing
        self.answer = {
            "turn": self.turn,
            "text": text,
            "probabilities": seen.probabilities.tolist(),
            "pixels": seen.pixels.tobytes(),
        }

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        """Return the live pad, and a picture of it for pages without a kernel."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        file = io.BytesIO()
        self._still().save(file, "PNG")
        return data | {"image/png": base64.b64encode(file.getvalue()).decode()}, metadata

    def _still(self) -> Image.Image:
        """Return the pad as it looks now, 640x304."""
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


def _paper(image) -> np.ndarray:
    """Return a picture, whatever `prepare_image` takes, as a drawing: uint8 (140, 140), dark ink on white."""
    picture = open_picture(image).convert("RGBA")
    grey = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("L")
    if np.median(grey) < 128:  # light on dark
        grey = ImageOps.invert(grey)
    grey = ImageOps.autocontrast(grey, cutoff=(0, 50))  # the paper, more than half of any picture, becomes white
    return np.asarray(ImageOps.pad(grey, (SIDE, SIDE), Image.Resampling.BICUBIC, color=255))
