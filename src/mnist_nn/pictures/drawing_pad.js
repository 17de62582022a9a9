// The page's side of the drawing pad: it draws the strokes, sends the drawing to the kernel and shows the answer.
// It shares three values with drawing_pad.py: `drawing` and `turn` go to the kernel, `answer` comes back.

const SIDE = 140; // width and height in pixels of the drawing that is sent, as in drawing_pad.py
const PAPER = 560; // width and height in pixels of the canvas: two per CSS pixel, for sharp lines on dense screens
const PEN = 40; // width of the pen in canvas pixels: a tenth of a digit's height, as in MNIST
const STEP = 20; // canvas pixels that an arrow key moves the pen
const PATIENCE = 1000; // ms after which an answer counts as lost, because an interrupted kernel never sends it
const NO_ANSWER = "no answer: the kernel is busy or not running";
const UNDO_STEPS = 20;
const NUDGE = 10; // ms between the small messages that speed up an answer (see nudge)
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

const HTML = `
  <div class="mnist-pad-left">
    <div class="mnist-pad-paper">
      <canvas class="mnist-pad-canvas" width="${PAPER}" height="${PAPER}" tabindex="0" role="application"
        aria-label="Paper to draw a digit on. Arrow keys move the pen, space puts it down or lifts it, Escape clears, Control Z undoes.">
      </canvas>
      <div class="mnist-pad-cursor" hidden></div>
    </div>
    <button class="mnist-pad-clear" type="button">Clear</button>
    <button class="mnist-pad-undo" type="button" disabled>Undo</button>
  </div>
  <div class="mnist-pad-right">
    <p class="mnist-pad-text" role="status" aria-live="polite"></p>
    <div class="mnist-pad-columns">
      <ul class="mnist-pad-bars" aria-label="Probability of each digit">
        ${[...Array(10).keys()].map((digit) => `<li><b>${digit}</b><i><i></i></i><span></span></li>`).join("")}
      </ul>
      <figure>
        <canvas class="mnist-pad-pixels" width="28" height="28" role="img"
          aria-label="The 28 by 28 pixels that the network sees"></canvas>
        <figcaption>what the<br>network sees</figcaption>
      </figure>
    </div>
  </div>`;

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "mnist-pad";
  root.dataset.lmSuppressShortcuts = "true"; // otherwise JupyterLab handles Enter, Escape and the arrow keys
  root.innerHTML = HTML;
  el.append(root);
  const find = (name) => root.querySelector(`.mnist-pad-${name}`);
  const canvas = find("canvas");
  const cursor = find("cursor");
  const paper = canvas.getContext("2d", { willReadFrequently: true });
  const sent = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const small = sent.getContext("2d", { willReadFrequently: true });
  let pointer = null; // the id of the pointer that draws
  let last = null; // its last position
  let changed = false; // true if the drawing has changed since it was last sent
  let sentAt = -Infinity;
  let mine = null; // the drawing that this view sent
  let oldest = model.get("turn"); // answers to earlier drawings, which are no longer here, are not shown
  const undone = []; // the paper before each of the last strokes

  // Send one drawing at a time to the kernel, and the newest one next.
  const waiting = () => model.get("turn") !== model.get("answer").turn;
  function send() {
    root.setAttribute("aria-busy", changed || waiting());
    if (!changed || (waiting() && performance.now() - sentAt < PATIENCE)) return;
    small.imageSmoothingQuality = "high";
    small.drawImage(canvas, 0, 0, SIDE, SIDE);
    const { data } = small.getImageData(0, 0, SIDE, SIDE);
    mine = new DataView(new ArrayBuffer(SIDE * SIDE));
    for (let i = 0; i < SIDE * SIDE; i++) mine.setUint8(i, data[4 * i]);
    changed = false;
    sentAt = performance.now();
    model.set("drawing", mine);
    model.set("turn", model.get("turn") + 1);
    model.save_changes();
    root.setAttribute("aria-busy", true);
    setTimeout(nudge, NUDGE, model.get("turn"));
    setTimeout(complain, PATIENCE, model.get("turn"));
  }

  // Say that no kernel answers, instead of leaving the answer to an earlier drawing. Send what was drawn meanwhile: an
  // interrupted kernel answers that.
  function complain(turn) {
    if (!waiting() || model.get("turn") !== turn) return;
    blank(NO_ANSWER);
    sentAt = -Infinity;
    if (changed) send();
    else root.setAttribute("aria-busy", false); // screen readers may say nothing about a busy region
  }

  // Jupyter's server delays an answer until the previous packet is acknowledged (Nagle's algorithm), and the browser's
  // system delays an acknowledgement by up to 40 ms unless it has something to send. These small messages give it
  // something to send: the median answer takes 13 ms instead of 70 ms.
  function nudge(turn) {
    if (!waiting() || model.get("turn") !== turn || performance.now() - sentAt > PATIENCE) return;
    model.send({});
    setTimeout(nudge, NUDGE, turn);
  }

  function blank(text) {
    paintAnswer(text, Array(10).fill(0), () => 255);
  }

  // Show the kernel's answer.
  function show() {
    const { turn, text, probabilities, pixels } = model.get("answer");
    if (turn >= oldest) paintAnswer(text, probabilities, (i) => 255 - pixels.getUint8(i));
    send();
  }

  function paintAnswer(text, probabilities, grey) {
    const most = Math.max(...probabilities);
    find("text").textContent = text;
    root.querySelectorAll("li").forEach((row, digit) => {
      const percent = `${(100 * probabilities[digit]).toFixed(1)} %`;
      row.className = most > 0 && probabilities[digit] === most ? "mnist-pad-most" : "";
      row.querySelector("i i").style.width = percent.replace(" ", "");
      row.querySelector("span").textContent = percent;
    });
    paintGrey(find("pixels").getContext("2d"), 28, grey);
  }

  function paintGrey(context, side, grey) {
    const image = context.createImageData(side, side);
    for (let i = 0; i < side * side; i++) image.data.set([grey(i), grey(i), grey(i), 255], 4 * i);
    context.putImageData(image, 0, 0);
  }

  // Show a drawing that came from Python, from another view of this pad, or from before the page was reloaded.
  function restore() {
    const drawing = model.get("drawing");
    if (drawing === mine) return;
    paper.fillStyle = "white";
    paper.fillRect(0, 0, PAPER, PAPER);
    if (drawing.byteLength === 0) return;
    paintGrey(small, SIDE, (i) => drawing.getUint8(i));
    paper.drawImage(sent, 0, 0, PAPER, PAPER);
  }

  // Send a paper that has lost strokes: answers that are still on their way do not belong to it.
  function replaced() {
    oldest = model.get("turn") + 1;
    blank("");
    changed = true;
    send();
  }

  function clear() {
    remember();
    paper.fillStyle = "white";
    paper.fillRect(0, 0, PAPER, PAPER);
    replaced();
  }

  function remember() {
    undone.push(paper.getImageData(0, 0, PAPER, PAPER));
    if (undone.length > UNDO_STEPS) undone.shift();
    find("undo").disabled = false;
  }

  function undo() {
    if (undone.length === 0) return;
    cursor.classList.remove("mnist-pad-down");
    paper.putImageData(undone.pop(), 0, 0);
    find("undo").disabled = undone.length === 0;
    replaced();
  }

  function line(from, to) {
    Object.assign(paper, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "black" });
    paper.beginPath();
    paper.moveTo(...from);
    paper.lineTo(to[0] + 0.01, to[1]); // a line of length zero would draw no dot
    paper.stroke();
    changed = true;
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * PAPER) / box.width, ((event.clientY - box.top) * PAPER) / box.height];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    cursor.hidden = true;
    last = place(event);
    remember();
    line(last, last);
    send();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) {
      const next = place(each);
      line(last, next);
      last = next;
    }
    send();
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(name, (event) => {
      if (event.pointerId === pointer) pointer = null;
    });
  }

  // Keyboard: a ring shows the position of the pen; it is filled while the pen is down.
  let pen = [PAPER / 2, PAPER / 4];
  canvas.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (step) {
      const next = pen.map((value, i) => Math.min(PAPER, Math.max(0, value + step[i])));
      if (cursor.classList.contains("mnist-pad-down")) line(pen, next);
      pen = next;
    } else if (event.key === " ") {
      if (cursor.classList.toggle("mnist-pad-down")) {
        remember();
        line(pen, pen);
      }
    } else if (event.key === "Escape" || event.key === "Delete") {
      cursor.classList.remove("mnist-pad-down");
      clear();
    } else return;
    event.preventDefault(); // do not scroll
    event.stopPropagation();
    cursor.hidden = false;
    cursor.style.left = `${(100 * pen[0]) / PAPER}%`;
    cursor.style.top = `${(100 * pen[1]) / PAPER}%`;
    send();
  });
  canvas.addEventListener("blur", () => {
    cursor.hidden = true;
    cursor.classList.remove("mnist-pad-down");
  });
  find("clear").addEventListener("click", clear);
  find("undo").addEventListener("click", undo);
  // Undo works wherever the focus is in the pad, for example on a button that was just clicked.
  root.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "z" || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    undo();
  });

  model.on("change:answer", show);
  model.on("change:drawing", restore);
  restore();
  show();
}

export default { render };
