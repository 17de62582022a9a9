"""The drawing pad answers the page's messages, and works in JupyterLab in a real browser."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect
from traitlets import TraitError

from mnist_nn import DrawingPad, load_network, predict_digit
from tests.pictures.browser import CHROMIUM, STROKES, answer, draw, shown_pad

PAGE_SIDE = Path(__file__).parents[2] / "src" / "mnist_nn" / "pictures" / "drawing_pad.js"


@pytest.fixture(scope="module")
def model():
    return load_network()


@pytest.fixture
def pad(model):
    pad = DrawingPad(model)
    yield pad
    pad.close()


@pytest.fixture(scope="module")
def three():
    """A drawing of a 3 as the page would send it, uint8 (140, 140)."""
    paper = Image.new("L", (140, 140), 255)
    for stroke in STROKES[3]:
        ImageDraw.Draw(paper).line([(1.4 * x, 1.4 * y) for x, y in stroke], 0, width=10, joint="curve")
    return np.asarray(paper)


def send(pad, **state):
    """Set traits as a message from the page does."""
    pad.set_state(state)


def test_the_pad_answers_a_drawing(pad, three):
    send(pad, drawing=memoryview(three.tobytes()), turn=1)
    expected = predict_digit(pad.model, three)
    assert pad.answer["turn"] == 1
    assert pad.answer["probabilities"] == expected.probabilities.tolist()
    assert pad.answer["pixels"] == expected.pixels.tobytes()
    assert pad.answer["text"] == pad.text == f"3 ({100 * expected.confidence:.1f} %)"
    assert np.array_equal(pad.image, three)
    assert pad.prediction.digit == 3


def test_an_empty_pad_asks_for_a_digit(pad, three):
    assert (pad.text, pad.prediction, pad.image.min()) == ("draw a digit", None, 255)
    send(pad, drawing=memoryview(three.tobytes()), turn=1)
    send(pad, drawing=memoryview(b"\xff" * 140 * 140), turn=2)  # cleared
    assert (pad.text, pad.prediction, pad.answer["turn"]) == ("draw a digit", None, 2)
    assert pad.answer["probabilities"] == [0] * 10


def test_an_uncertain_answer_begins_with_not_sure(pad):
    grid = np.minimum(*np.indices((140, 140)) % 50) < 8  # a grid of crossing lines: not a digit
    grid[:9] = grid[-9:] = grid[:, :9] = grid[:, -9:] = False
    send(pad, drawing=memoryview(np.where(grid, 0, 255).astype(np.uint8).tobytes()), turn=1)
    assert not pad.prediction.sure
    assert re.fullmatch(r"not sure: \d \(\d+\.\d %\)", pad.text)


@pytest.mark.parametrize(
    "state",
    [
        {"drawing": memoryview(b"\0" * 100), "turn": 2},
        {"drawing": memoryview(b"\0" * 10**6), "turn": 2},
        {"drawing": "text", "turn": 2},
        {"drawing": 10**12, "turn": 2},
        {"drawing": None, "turn": 2},
        {"turn": "two"},
        {"answer": []},
    ],
)
def test_an_invalid_message_changes_nothing(pad, three, state):
    send(pad, drawing=memoryview(three.tobytes()), turn=1)
    before = dict(pad.answer)
    with pytest.raises(TraitError):
        send(pad, **state)
    assert pad.answer == before
    assert np.array_equal(pad.image, three)
    send(pad, drawing=memoryview(b""), turn=3)  # the pad still works
    assert (pad.text, pad.answer["turn"]) == ("draw a digit", 3)


def test_an_error_is_shown_on_the_page(pad, three, monkeypatch):
    monkeypatch.setattr(pad, "model", None)
    send(pad, drawing=memoryview(three.tobytes()), turn=1)
    assert pad.text.startswith("cannot be read: model must be a Keras model")
    assert (pad.prediction, pad.answer["turn"]) == (None, 1)


@pytest.mark.parametrize("kind", ["drawing", "light on dark", "wide", "RGBA", "grey paper"])
def test_a_pad_can_start_with_a_drawing(model, three, kind):
    image = {
        "drawing": three,
        "light on dark": 255 - three,
        "wide": np.pad(three, [(0, 0), (0, 200)], constant_values=255),
        "RGBA": np.dstack([np.zeros_like(three)] * 3 + [255 - three]),
        "grey paper": (80 + 0.5 * three).astype(np.uint8),
    }[kind]
    pad = DrawingPad(model, image=image)
    assert pad.prediction.digit == 3
    assert (pad.image.shape, pad.image.dtype) == ((140, 140), np.uint8)
    assert pad.image[0].min() > 250
    pad.close()


def test_invalid_arguments_are_refused(model):
    with pytest.raises(ValueError, match="model must be a Keras model"):
        DrawingPad("model")
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        DrawingPad(model, image="none.png")


@pytest.mark.parametrize("drawn", [False, True])
def test_pages_without_a_kernel_show_a_picture(model, three, drawn):
    pad = DrawingPad(model, image=three if drawn else None)
    data, _ = pad._repr_mimebundle_()
    assert data["text/plain"] == repr(pad) == f"DrawingPad({pad.text})"
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == pad.model_id
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as still:
        grey = np.asarray(still.convert("L"))
    assert (grey[20:280, 20:280].min() < 10) == drawn
    assert (grey[60:136, 548:624].min() < 10) == drawn  # the pixels that the network sees
    pad.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("needs Chromium or Chrome; .ci/run installs it on Debian and Ubuntu")
    with shown_pad(tmp_path_factory.mktemp("jupyter")) as page:
        yield page


def test_drawn_digits_are_classified_in_a_browser(page):
    answers = []
    for strokes in STROKES.values():
        page.get_by_role("button", name="Clear").click()
        assert answer(page) == "draw a digit"
        draw(page, strokes)
        answers.append(answer(page))
    correct = sum(text.startswith(f"{digit} (") for digit, text in zip(STROKES, answers, strict=True))
    assert correct >= 9, answers


def test_the_answer_is_updated_while_drawing(page):
    page.get_by_role("button", name="Clear").click()
    box = page.locator(".mnist-pad-canvas").bounding_box()
    page.mouse.move(box["x"] + 140, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 138, box["y"] + 230, steps=10)
    assert re.match(r"1 \(|not sure: \d \(", answer(page))
    assert page.locator("li.mnist-pad-most").count() == 1
    page.mouse.up()


def test_text_bars_and_pixels_show_the_same_answer(page):
    page.get_by_role("button", name="Clear").click()
    draw(page, STROKES[3])
    text = answer(page)
    bars = [row.split() for row in page.locator(".mnist-pad-bars li").all_inner_texts()]
    assert [bar[0] for bar in bars] == list("0123456789")
    assert text.endswith(f"({bars[3][1]} %)")
    seen = page.locator(".mnist-pad-pixels").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 == 0)"
    )
    assert (len(seen), min(seen), max(seen)) == (784, 0, 255)


def test_the_pad_can_be_used_with_keys_only(page):
    cells = page.locator(".jp-CodeCell").count()
    page.get_by_role("button", name="Clear").click()
    page.locator(".mnist-pad-canvas").focus()
    page.keyboard.press("Space")
    for _ in range(14):
        page.keyboard.press("ArrowDown")
    assert re.match(r"1 \(|not sure: \d \(", answer(page))
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Clear")).to_be_focused()
    page.keyboard.press("Enter")
    assert answer(page) == "draw a digit"
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".mnist-pad-canvas")).to_be_focused()
    for key in ("Escape", "Delete"):
        page.keyboard.press("Space")
        assert answer(page) != "draw a digit"
        page.keyboard.press(key)
        assert answer(page) == "draw a digit"
    assert page.locator(".jp-CodeCell").count() == cells  # JupyterLab has handled none of the keys


def test_strokes_can_be_undone(page):
    undo = page.get_by_role("button", name="Undo")
    page.get_by_role("button", name="Clear").click()
    first, second = STROKES[5]
    draw(page, [first])
    before = answer(page)
    draw(page, [second])
    assert answer(page).startswith("5 (")
    undo.click()
    assert answer(page) == before
    expect(undo).to_be_focused()
    page.keyboard.press("Control+z")
    assert answer(page) == "draw a digit"
    page.locator(".mnist-pad-canvas").focus()
    for _ in range(30):
        page.keyboard.press("Control+z")
    expect(undo).to_be_disabled()


def test_a_second_view_shows_the_same_drawing(page):
    page.get_by_role("button", name="Clear").click()
    draw(page, STROKES[5])
    text = answer(page)
    page.locator(".jp-CodeCell .cm-content").last.click()
    page.keyboard.insert_text("pad")
    page.keyboard.press("Shift+Enter")
    second = page.locator(".mnist-pad").nth(1)
    expect(second.locator(".mnist-pad-text")).to_have_text(text)
    ink = "canvas => canvas.getContext('2d').getImageData(0, 0, 560, 560).data.filter((value) => value < 128).length"
    first, copy = (page.locator(".mnist-pad-canvas").nth(i).evaluate(ink) for i in (0, 1))
    assert copy == pytest.approx(first, rel=0.02)
    second.get_by_role("button", name="Clear").click()
    expect(page.locator(".mnist-pad-text").first).to_have_text("draw a digit")
    page.wait_for_function(f"({ink})(document.querySelector('.mnist-pad-canvas')) === 0")


def test_what_is_drawn_while_an_answer_is_lost_is_sent_without_another_stroke(page):
    """The page's side alone, with a model that never answers, as when the kernel was interrupted."""
    alone = page.context.browser.new_page()
    alone.evaluate(
        """async source => {
            const { default: pad } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
            const nothing = new DataView(new ArrayBuffer(784));
            const answer = { turn: 0, text: "draw a digit", probabilities: Array(10).fill(0), pixels: nothing };
            window.state = { drawing: new DataView(new ArrayBuffer(0)), turn: 0, answer };
            const ignore = () => {};
            const set = (name, value) => { window.state[name] = value; };
            const get = (name) => window.state[name];
            pad.render({ model: { get, set, save_changes: ignore, send: ignore, on: ignore }, el: document.body });
        }""",
        PAGE_SIDE.read_text(encoding="utf-8"),
    )
    draw(alone, [[(20, 50), (50, 50), (80, 50)]])
    end_of_the_stroke = "state.drawing.getUint8(140 * 70 + 111)"
    alone.wait_for_function(f"{end_of_the_stroke} < 128")
    expect(alone.locator(".mnist-pad-text")).to_have_text("no answer: the kernel is busy or not running")
    expect(alone.locator(".mnist-pad")).to_have_attribute("aria-busy", "false")
    alone.close()


def test_a_stopped_kernel_is_reported_and_no_old_answer_is_shown(page):
    """It comes last, because it stops the kernel."""
    pad = page.locator(".mnist-pad").first
    pad.get_by_role("button", name="Clear").click()
    draw(page, STROKES[3])
    expect(pad.locator(".mnist-pad-text")).to_have_text(re.compile(r"^3 \("))
    server = page.url.partition("/doc/")[0]
    headers = {"Authorization": "token try"}
    for kernel in page.request.get(f"{server}/api/kernels", headers=headers).json():
        page.request.delete(f"{server}/api/kernels/{kernel['id']}", headers=headers)
    pad.get_by_role("button", name="Clear").click()
    expect(pad.locator(".mnist-pad-text")).not_to_contain_text("3 (")
    draw(page, STROKES[7])
    expect(pad.locator(".mnist-pad-text")).to_have_text("no answer: the kernel is busy or not running")
    expect(pad).to_have_attribute("aria-busy", "false")  # otherwise screen readers may not announce the text
    assert set(pad.locator(".mnist-pad-bars span").all_inner_texts()) == {"0.0 %"}
