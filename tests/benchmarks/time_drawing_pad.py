"""Time the drawing pad's answers in JupyterLab in a real browser: `python -m tests.benchmarks.time_drawing_pad`.

The time runs from the end of a stroke until the page shows the answer to the complete drawing. Strokes are drawn as
fast as by hand, with a mouse move about every 12 ms. The browser, the server and the kernel share the machine, so run
nothing else at the same time.
"""

import statistics
import tempfile
import time
from pathlib import Path

from tests.pictures.browser import STROKES, answer, draw, shown_pad

MEASURE = """() => {
  const root = document.querySelector('.mnist-pad');
  window.latencies = [];
  root.querySelector('.mnist-pad-canvas').addEventListener('pointerup', () => {
    const start = performance.now();
    const check = () => {
      if (root.getAttribute('aria-busy') !== 'false') return;
      window.latencies.push(performance.now() - start);
      observer.disconnect();
    };
    const observer = new MutationObserver(check);
    observer.observe(root, {attributes: true});
    check();
  });
}"""


def main():
    """Draw each of the ten digits three times; print the median and the largest latency of their strokes."""
    with tempfile.TemporaryDirectory() as home, shown_pad(Path(home)) as page:
        page.evaluate(MEASURE)
        for _ in range(3):
            for strokes in STROKES.values():
                page.get_by_role("button", name="Clear").click()
                answer(page)
                for stroke in strokes:
                    draw(page, [stroke], pause=0.012)
                    time.sleep(0.3)  # as between two strokes by hand
        latencies = page.evaluate("window.latencies")
    print(f"{len(latencies)} strokes: median {statistics.median(latencies):.0f} ms, maximum {max(latencies):.0f} ms")


if __name__ == "__main__":
    main()
