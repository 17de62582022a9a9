"""Show a drawing pad in JupyterLab in a real browser, and draw digits on it with the mouse."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError

import nbformat
from playwright.sync_api import expect, sync_playwright

# Each digit as written by hand: strokes of points (x, y), in hundredths of the paper from its top left corner.
STROKES = {
    0: [[(56, 19), (42, 22), (32, 36), (29, 54), (35, 73), (49, 81), (63, 74), (70, 55), (68, 35), (60, 22), (52, 19)]],
    1: [[(53, 17), (51, 38), (49, 60), (47, 82)]],
    2: [[(31, 34), (37, 22), (50, 17), (63, 22), (66, 35), (58, 50), (44, 65), (31, 79), (48, 78), (72, 79)]],
    3: [[(32, 24), (46, 17), (60, 20), (65, 31), (57, 42), (45, 47), (59, 50), (67, 61), (64, 74), (51, 82), (32, 76)]],
    4: [[(37, 20), (33, 36), (31, 52), (48, 53), (69, 50)], [(63, 19), (61, 40), (59, 62), (57, 83)]],
    5: [
        [(37, 21), (35, 34), (34, 45), (49, 43), (63, 51), (65, 66), (55, 78), (42, 81), (30, 76)],
        [(37, 21), (68, 19)],
    ],
    6: [[(60, 17), (47, 28), (37, 44), (33, 62), (39, 77), (52, 82), (64, 74), (63, 61), (52, 55), (41, 61), (36, 69)]],
    7: [[(30, 22), (50, 21), (70, 20), (63, 37), (54, 56), (47, 82)]],
    8: [
        [(63, 25), (51, 17), (38, 24), (40, 37), (54, 47), (65, 59), (64, 74), (51, 82)],
        [(51, 82), (37, 75), (37, 62), (51, 48), (62, 38), (63, 25)],
    ],
    9: [[(64, 29), (53, 19), (40, 23), (36, 37), (44, 47), (57, 45), (64, 31), (63, 48), (60, 66), (55, 82)]],
}


CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)


def wait_for_server(url, server, log):
    """Wait until the server answers; raise an error with its log if it ends or takes more than a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"jupyter lab did not start:\n{log.read_text()}")


@contextmanager
def jupyter_lab(home: Path) -> Iterator[str]:
    """Serve a notebook with a pad, without the settings of this machine, and yield its address."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("from mnist_nn import DrawingPad\n\npad = DrawingPad()\npad")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    (home / "work").mkdir()
    nbformat.write(notebook, home / "work" / "pad.ipynb")
    names = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    environment = os.environ | {name: str(home / name.lower()) for name in names}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=try"]
    options += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    log = home / "log"
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=home / "work", env=environment, stdout=out, stderr=out)
    try:
        wait_for_server(f"http://127.0.0.1:{port}/api", server, log)
        yield f"http://127.0.0.1:{port}/doc/tree/pad.ipynb?token=try"
    finally:
        server.terminate()  # the server ends its kernels
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def run_first_cell(page):
    """Press Shift+Enter until the cell runs: JupyterLab ignores keys while it is starting."""
    prompt = page.locator(".jp-CodeCell .jp-InputPrompt").first
    for _ in range(30):
        page.locator(".jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Shift+Enter")
        with suppress(AssertionError):
            expect(prompt).to_have_text(re.compile(r"[*\d]"), timeout=2_000)
            return
    raise RuntimeError("JupyterLab did not run the cell")


@contextmanager
def shown_pad(home: Path) -> Iterator:
    """Yield JupyterLab's page with the pad, in a browser that can reach only this machine."""
    arguments = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with jupyter_lab(home) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        page.goto(address)
        # Wait for the kernel.
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
        run_first_cell(page)
        expect(page.locator(".mnist-pad-text")).to_have_text("draw a digit", timeout=60_000)
        yield page
        browser.close()


def answer(page):
    """Wait until the answer refers to the complete drawing, and return its text."""
    text = page.locator(".mnist-pad[aria-busy=false] .mnist-pad-text", has_not_text="no answer")  # it may still come
    text.wait_for()
    return text.inner_text()


def draw(page, strokes, pause=0.0):
    """Draw strokes with the mouse.

    Without a pause the mouse moves straight from point to point. With one (in seconds) it takes four steps between two
    points and pauses before each.
    """
    steps = 4 if pause else 1
    box = page.locator(".mnist-pad-canvas").first.bounding_box()
    for stroke in strokes:
        (x, y), *others = [(box["x"] + x / 100 * box["width"], box["y"] + y / 100 * box["height"]) for x, y in stroke]
        page.mouse.move(x, y)
        page.mouse.down()
        for to_x, to_y in others:
            for step in range(1, steps + 1):
                time.sleep(pause)
                page.mouse.move(x + (to_x - x) * step / steps, y + (to_y - y) * step / steps)
            x, y = to_x, to_y
        page.mouse.up()
