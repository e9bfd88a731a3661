// The viewer of images: which picture of a series, in which window, how large, and distances on it.
// Pictures are drawn by the service; one that cannot be shown is never left black: its reason is.
"use strict";
(() => {
  const NS = "http://www.w3.org/2000/svg";

  async function whyNot(url) {
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (answer.ok) return null;
      const told = await answer.json();
      return { reason: told.reason || told.title || "", way: told.way_out || "" };
    } catch (error) {
      return { reason: "", way: "" };
    }
  }

  // ---- thumbnails: the reason in the place of a picture that cannot be shown
  document.addEventListener("error", async (event) => {
    const picture = event.target;
    if (!(picture instanceof HTMLImageElement) || !picture.closest(".thumb-picture")) return;
    const told = await whyNot(picture.currentSrc || picture.src);
    const words = document.createElement("span");
    words.className = "thumb-why";
    words.textContent = (told && told.reason) || picture.alt;
    picture.replaceWith(words);
  }, true);

  const root = document.getElementById("viewer");
  if (!root) return;
  const stage = root.querySelector(".stage"), mover = root.querySelector(".stage-move");
  const picture = root.querySelector("[data-picture]"), problem = root.querySelector("[data-problem]");
  const note = root.querySelector("[data-note]"), said = root.querySelector("[data-measured]");
  const form = root.querySelector(".viewer-tools");
  const slices = root.dataset.slices.split(" ").filter(Boolean).map((one) => one.split(":"));
  const slider = root.querySelector("[data-slice]"), shownNumber = root.querySelector("[data-slice-number]");
  const select = root.querySelector("[data-window]"), center = root.querySelector("input[data-center]");
  const width = root.querySelector("input[data-width]"), invert = root.querySelector("[data-invert]");
  const columns = Number(root.dataset.columns), rows = Number(root.dataset.rows);
  const rowMm = Number(root.dataset.rowMm), columnMm = Number(root.dataset.columnMm);
  const aspect = rowMm && columnMm ? (columns * columnMm) / (rows * rowMm) : columns / rows;

  let number = Number(root.dataset.number), zoom = 1, left = 0, top = 0;
  let busy = false, again = false, shownUrl = "";
  let line = null;

  for (const one of root.querySelectorAll(".scripted")) one.hidden = false;
  for (const one of root.querySelectorAll("[data-noscript]")) one.hidden = true;
  if (picture) for (const one of root.querySelectorAll(".slice-links")) one.hidden = true;
  form.addEventListener("submit", (event) => event.preventDefault());

  // ---- which picture
  function url(at) {
    const [image, frame] = slices[at] || ["", "0"];
    const asked = new URLSearchParams();
    const wanted = Math.ceil(fitted().width * zoom * (window.devicePixelRatio || 1));
    const most = Math.max(columns, rows);
    const longest = [512, 1024, 2048, 4096].find((size) => size >= wanted * Math.max(1, rows / columns));
    if (longest && longest < most) asked.set("longest", String(longest));
    if (select && select.value === "own" && center.value !== "" && width.value !== "") {
      asked.set("center", center.value);
      asked.set("width", width.value);
    } else if (select && select.value !== "own") asked.set("window", select.value);
    if (invert && invert.checked) asked.set("invert", "true");
    const query = asked.toString();
    return `${root.dataset.base}${image}/frames/${frame}${query ? `?${query}` : ""}`;
  }

  function show() {
    if (!picture || !slices.length) return;
    if (busy) { again = true; return; }
    const wanted = url(number);
    if (wanted === shownUrl) return;
    busy = true;
    const waiting = setTimeout(() => { note.textContent = root.dataset.wordLoading; }, 300);
    const loaded = new Image();
    const done = () => {
      clearTimeout(waiting);
      busy = false;
      shownUrl = wanted;
      told();
      if (again) { again = false; show(); }
    };
    loaded.onload = () => { picture.src = loaded.src; problem.hidden = true; overlay(); done(); ahead(); };
    loaded.onerror = async () => {
      const why = await whyNot(wanted);
      problem.querySelector(".problem-words").textContent = (why && why.reason) || root.dataset.wordFailed;
      problem.querySelector(".problem-way").textContent = (why && why.way) || "";
      problem.hidden = false;
      done();
    };
    loaded.src = wanted;
  }

  function ahead() {
    for (const at of [number + 1, number - 1]) if (slices[at]) new Image().src = url(at);
  }

  function told() {
    const parts = slices.length > 1 ? [`${number + 1} / ${slices.length}`] : [];
    if (select) {
      const option = select.selectedOptions[0];
      parts.push(select.value === "own" ? `${center.value} / ${width.value}` : option.textContent.trim());
    }
    parts.push(`×${zoom.toFixed(zoom < 10 ? 1 : 0)}`);
    note.textContent = parts.join(" · ");
  }

  function go(to) {
    const next = Math.min(Math.max(to, 0), slices.length - 1);
    if (next === number) return;
    number = next;
    if (slider) { slider.value = String(number + 1); shownNumber.textContent = String(number + 1); }
    show();
  }

  // ---- how large, and where
  function fitted() {
    const box = stage.getBoundingClientRect();
    const wide = Math.min(box.width, box.height * aspect);
    return { width: wide, height: wide / aspect, box };
  }

  function place() {
    const fit = fitted(), w = fit.width * zoom, h = fit.height * zoom;
    const roomX = Math.max(0, (w - fit.box.width) / 2 + fit.box.width * 0.3);
    const roomY = Math.max(0, (h - fit.box.height) / 2 + fit.box.height * 0.3);
    left = Math.min(Math.max(left, -roomX), roomX);
    top = Math.min(Math.max(top, -roomY), roomY);
    mover.style.width = `${w}px`;
    mover.style.height = `${h}px`;
    mover.style.transform = `translate(${(fit.box.width - w) / 2 + left}px, ${(fit.box.height - h) / 2 + top}px)`;
    if (line) line.draw();
    told();
  }

  function larger(by, at) {
    const before = zoom;
    zoom = Math.min(Math.max(zoom * by, 0.5), 40);
    if (at) {
      const box = stage.getBoundingClientRect(), part = zoom / before - 1;
      left -= (at.clientX - box.left - box.width / 2 - left) * part;
      top -= (at.clientY - box.top - box.height / 2 - top) * part;
    } else { left *= zoom / before; top *= zoom / before; }
    place();
    show();
  }

  function fit() { zoom = 1; left = 0; top = 0; place(); show(); }

  // ---- distances: two ends on the picture, in its own pixels
  class Line {
    constructor() {
      this.svg = document.createElementNS(NS, "svg");
      this.svg.setAttribute("class", "stage-lines");
      this.svg.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
      this.svg.setAttribute("preserveAspectRatio", "none");
      this.strokes = ["under", ""].map((kind) => {
        const stroke = document.createElementNS(NS, "line");
        stroke.setAttribute("class", kind);
        this.svg.append(stroke);
        return stroke;
      });
      mover.append(this.svg);
      this.points = [{ x: columns * 0.35, y: rows / 2 }, { x: columns * 0.65, y: rows / 2 }];
      this.ends = [root.dataset.wordFirst, root.dataset.wordSecond].map((words, index) => {
        const end = document.createElement("button");
        end.type = "button";
        end.className = "stage-end";
        end.setAttribute("aria-label", words);
        end.addEventListener("keydown", (event) => this.key(event, index));
        end.addEventListener("pointerdown", (event) => { this.held = index; event.stopPropagation(); stage.setPointerCapture(event.pointerId); });
        mover.append(end);
        return end;
      });
      this.draw();
    }
    at(event) {
      const box = mover.getBoundingClientRect();
      return {
        x: Math.min(Math.max((event.clientX - box.left) / box.width * columns, 0), columns),
        y: Math.min(Math.max((event.clientY - box.top) / box.height * rows, 0), rows),
      };
    }
    begin(event) { this.points = [this.at(event), this.at(event)]; this.held = 1; this.draw(); }
    move(event) { if (this.held === undefined || this.held === null) return; this.points[this.held] = this.at(event); this.draw(); }
    key(event, index) {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!way) return;
      event.preventDefault();
      event.stopPropagation();
      const by = event.shiftKey ? 10 : 1, point = this.points[index];
      this.points[index] = {
        x: Math.min(Math.max(point.x + way[0] * by, 0), columns), y: Math.min(Math.max(point.y + way[1] * by, 0), rows),
      };
      this.draw();
    }
    draw() {
      const [a, b] = this.points;
      for (const stroke of this.strokes) {
        stroke.setAttribute("x1", a.x); stroke.setAttribute("y1", a.y);
        stroke.setAttribute("x2", b.x); stroke.setAttribute("y2", b.y);
      }
      this.ends.forEach((end, index) => {
        end.style.left = `${this.points[index].x / columns * 100}%`;
        end.style.top = `${this.points[index].y / rows * 100}%`;
      });
      said.textContent = this.words();
    }
    words() {
      const [a, b] = this.points, dx = b.x - a.x, dy = b.y - a.y;
      if (rowMm && columnMm) {
        const mm = Math.hypot(dx * columnMm, dy * rowMm);
        const why = root.dataset.scaleWhy ? ` (${root.dataset.scaleWhy})` : "";
        return `${mm.toFixed(1)} mm${why}`;
      }
      return `${Math.hypot(dx, dy).toFixed(0)} ${root.dataset.wordPixels} (${root.dataset.scaleWhy})`;
    }
    remove() { this.svg.remove(); for (const end of this.ends) end.remove(); said.textContent = ""; }
  }

  function measure() {
    const button = root.querySelector('[data-do="measure"]');
    if (!line && pointing) point();
    if (line) { line.remove(); line = null; } else if (picture) line = new Line();
    button.setAttribute("aria-pressed", String(Boolean(line)));
    stage.classList.toggle("measuring", Boolean(line));
    if (line) line.ends[0].focus();
  }

  // ---- windows
  function chose() {
    const option = select.selectedOptions[0];
    if (select.value !== "own" && center) { center.value = option.dataset.center; width.value = option.dataset.width; }
    show();
  }

  function own(c, w) {
    center.value = String(Math.round(c * 10) / 10);
    width.value = String(Math.max(Math.round(w * 10) / 10, 1));
    select.value = "own";
    show();
  }

  if (select) {
    if (center.value === "" || width.value === "") {
      const option = select.selectedOptions[0];
      center.value = option.dataset.center || "";
      width.value = option.dataset.width || "";
    }
    select.addEventListener("change", chose);
    for (const field of [center, width]) {
      field.addEventListener("change", () => { if (Number(width.value) > 0 && center.value !== "") own(Number(center.value), Number(width.value)); });
    }
  }
  if (invert) invert.addEventListener("change", show);
  if (slider) slider.addEventListener("input", () => go(Number(slider.value) - 1));
  if (slider && !picture) {
    slider.addEventListener("change", () => {
      const [image, frame] = slices[Number(slider.value) - 1];
      location.assign(`${root.dataset.base}${image}?frame=${frame}`);
    });
  }

  // ---- what is drawn over it: a layer of marks for each box that is ticked
  const layers = new Map();
  async function explain(key, legend) {
    legend.textContent = root.dataset.wordLoading;
    const [image] = slices[number];
    const url_ = `${root.dataset.base}${image}/layers/${key}`;
    try {
      const answer = await fetch(url_, { headers: { Accept: "application/json" } });
      const told = await answer.json();
      legend.textContent = "";
      if (!answer.ok) {
        const why = document.createElement("p");
        why.className = "na-text";
        why.textContent = `${told.reason || told.title || ""}`;
        legend.append(why);
        return false;
      }
      for (const one of told.labels) {
        const row = document.createElement("span"), box = document.createElement("span");
        box.className = "colour";
        box.style.background = one.colour;
        row.append(box, one.label);
        legend.append(row);
      }
      for (const note of told.notes) {
        const row = document.createElement("span");
        row.className = "quiet";
        row.textContent = note;
        legend.append(row);
      }
      return true;
    } catch (error) {
      legend.textContent = root.dataset.wordFailed;
      return false;
    }
  }
  function overlay() {
    for (const [key, marks] of layers) {
      const [image, frame] = slices[number];
      const wanted = `${root.dataset.base}${image}/frames/${frame}/marks/${key}?longest=2048`;
      if (marks.getAttribute("src") !== wanted) marks.setAttribute("src", wanted);
    }
  }
  function drop(key) {
    if (layers.has(key)) layers.get(key).remove();
    layers.delete(key);
  }
  function lay(key) {
    drop(key);
    const marks = document.createElement("img");
    marks.className = "stage-marks";
    marks.alt = "";
    marks.addEventListener("error", () => marks.removeAttribute("src"));
    picture.after(marks);
    layers.set(key, marks);
    overlay();
  }
  for (const box of root.querySelectorAll("[data-layer]")) {
    box.addEventListener("change", async () => {
      const key = box.dataset.layer, legend = root.querySelector(`[data-legend="${key}"]`);
      if (!box.checked) {
        drop(key);
        legend.textContent = "";
      } else if (await explain(key, legend) && box.checked) lay(key);
    });
  }

  // ---- a nodule is measured where a person points
  const seedForm = root.querySelector("[data-seed]");
  let pointing = false, seedKey = "", asked = 0;
  const seedButton = root.querySelector('[data-do="point"]');
  function point() {
    if (!seedForm) return;
    pointing = !pointing;
    if (pointing && line) measure();
    seedButton.setAttribute("aria-pressed", String(pointing));
    stage.classList.toggle("measuring", pointing);
  }
  async function seeded() {
    const column = seedForm.querySelector("[data-seed-column]"), row = seedForm.querySelector("[data-seed-row]");
    if (!seedForm.reportValidity()) return;
    const legend = root.querySelector("[data-legend-seed]"), mine = asked += 1;
    unseeded();
    const key = `nodule-${slices[number][0]}-${Number(column.value)}-${Number(row.value)}`;
    seedForm.querySelector("[data-seed-off]").hidden = false;
    if (await explain(key, legend) && mine === asked) { seedKey = key; lay(key); }
  }
  function unseeded() {
    drop(seedKey);
    seedKey = "";
    root.querySelector("[data-legend-seed]").textContent = "";
    seedForm.querySelector("[data-seed-off]").hidden = true;
  }
  if (seedForm) {
    seedForm.addEventListener("submit", (event) => { event.preventDefault(); seeded(); });
    seedForm.querySelector("[data-seed-off]").addEventListener("click", () => { asked += 1; unseeded(); });
  }
  function pointed(event) {
    const box = mover.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) / box.width * columns), y = Math.floor((event.clientY - box.top) / box.height * rows);
    if (x < 0 || y < 0 || x >= columns || y >= rows) return;
    seedForm.querySelector("[data-seed-column]").value = String(x);
    seedForm.querySelector("[data-seed-row]").value = String(y);
    seeded();
  }

  // ---- pointer and keys
  let held = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !picture || event.target.closest(".stage-problem")) return;
    if (pointing && !event.ctrlKey) { pointed(event); event.preventDefault(); return; }
    stage.setPointerCapture(event.pointerId);
    if (line && !event.ctrlKey) { line.begin(event); event.preventDefault(); return; }
    held = { x: event.clientX, y: event.clientY, left, top, window: event.ctrlKey && select, c: Number(center && center.value), w: Number(width && width.value) };
    stage.classList.add("moving");
  });
  stage.addEventListener("pointermove", (event) => {
    if (line && line.held !== undefined && line.held !== null) { line.move(event); return; }
    if (!held) return;
    const dx = event.clientX - held.x, dy = event.clientY - held.y;
    if (held.window) { own(held.c + dy * held.w / 300, held.w * (1 + dx / 300)); return; }
    left = held.left + dx; top = held.top + dy;
    place();
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    stage.addEventListener(kind, () => { held = null; if (line) line.held = null; stage.classList.remove("moving"); });
  }
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.ctrlKey || slices.length < 2) larger(event.deltaY < 0 ? 1.2 : 1 / 1.2, event);
    else go(number + Math.sign(event.deltaY));
  }, { passive: false });
  stage.addEventListener("dragstart", (event) => event.preventDefault());

  const acts = { in: () => larger(1.25), out: () => larger(0.8), fit, measure, point };
  for (const button of root.querySelectorAll("[data-do]")) button.addEventListener("click", () => acts[button.dataset.do]());

  const keys = {
    "+": acts.in, "=": acts.in, "-": acts.out, "0": fit, m: measure, n: point,
    i: () => { if (invert) { invert.checked = !invert.checked; show(); } },
    ArrowUp: () => go(number - 1), ArrowDown: () => go(number + 1), PageUp: () => go(number - 10),
    PageDown: () => go(number + 10), Home: () => go(0), End: () => go(slices.length - 1),
  };
  const moves = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  stage.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    if (event.shiftKey && moves[event.key]) {
      left += moves[event.key][0]; top += moves[event.key][1];
      place();
    } else if (select && /^[1-9]$/.test(event.key) && select.options[Number(event.key) - 1]) {
      select.selectedIndex = Number(event.key) - 1;
      chose();
    } else {
      const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!act) return;
      act();
    }
    event.preventDefault();
  });

  if (picture && columns && rows) {
    stage.classList.add("scripted-stage");
    new ResizeObserver(() => place()).observe(stage);
    place();
    show();
  }
})();
