// Calipers on ECG paper: two points, the time and the voltage between them. One unit of the drawing
// is one millimetre; the field below the first point says how many of them are a second and a mV.
"use strict";
(() => {
  const NS = "http://www.w3.org/2000/svg";
  const STEP_S = 0.004, STEP_MV = 0.02;

  function made(name, kind, parent) {
    const node = document.createElementNS(NS, name);
    node.setAttribute("class", kind);
    parent.append(node);
    return node;
  }

  function scaleAt(svg, point) {
    for (const field of svg.querySelectorAll(".region")) {
      const x = field.x.baseVal.value, y = field.y.baseVal.value;
      const inside = point.x >= x && point.x <= x + field.width.baseVal.value
        && point.y >= y && point.y <= y + field.height.baseVal.value;
      if (inside) return { speed: Number(field.dataset.speed), gain: Number(field.dataset.gain), lead: field.dataset.lead };
    }
    return null;
  }

  class Calipers {
    constructor(svg, reading) {
      this.svg = svg;
      this.reading = reading;
      this.group = made("g", "calipers", svg);
      this.box = made("rect", "caliper-box", this.group);
      this.lines = [0, 1, 2, 3].map(() => made("path", "caliper-line", this.group));
      const scroll = svg.closest(".paper-scroll");
      this.handles = ["a", "b"].map((name) => {
        const handle = made("circle", "caliper-handle", this.group);
        handle.setAttribute("r", "1.7");
        handle.setAttribute("tabindex", "0");
        handle.setAttribute("role", "button");
        handle.setAttribute("aria-label", name === "a" ? scroll.dataset.handleA : scroll.dataset.handleB);
        handle.addEventListener("keydown", (event) => this.key(event, name));
        handle.addEventListener("pointerdown", (event) => this.grab(event, name));
        return handle;
      });
      const first = svg.querySelector(".region");
      const x = first.x.baseVal.value + 20, y = first.y.baseVal.value + 12;
      this.points = { a: { x, y }, b: { x: x + 10, y: y + 5 } };
      this.down = (event) => this.begin(event);
      this.move = (event) => this.drag(event);
      this.up = () => { this.held = null; };
      svg.addEventListener("pointerdown", this.down);
      svg.addEventListener("pointermove", this.move);
      svg.addEventListener("pointerup", this.up);
      svg.classList.add("measuring");
      this.draw();
    }

    remove() {
      this.svg.removeEventListener("pointerdown", this.down);
      this.svg.removeEventListener("pointermove", this.move);
      this.svg.removeEventListener("pointerup", this.up);
      this.svg.classList.remove("measuring");
      this.group.remove();
    }

    at(event) {
      const matrix = this.svg.getScreenCTM().inverse();
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
      const box = this.svg.viewBox.baseVal;
      return { x: Math.min(Math.max(point.x, 0), box.width), y: Math.min(Math.max(point.y, 0), box.height) };
    }

    begin(event) {
      if (event.button !== 0 || event.target.closest(".caliper-handle")) return;
      const point = this.at(event);
      this.points = { a: point, b: { ...point } };
      this.held = "b";
      this.svg.setPointerCapture(event.pointerId);
      this.draw();
      event.preventDefault();
    }

    grab(event, name) {
      this.held = name;
      this.svg.setPointerCapture(event.pointerId);
    }

    drag(event) {
      if (!this.held) return;
      this.points[this.held] = this.at(event);
      this.draw();
    }

    key(event, name) {
      const scale = scaleAt(this.svg, this.points.a) || { speed: 25, gain: 10 };
      const times = event.shiftKey ? 10 : 1;
      const way = {
        ArrowLeft: [-STEP_S * scale.speed, 0], ArrowRight: [STEP_S * scale.speed, 0],
        ArrowUp: [0, -STEP_MV * scale.gain], ArrowDown: [0, STEP_MV * scale.gain],
      }[event.key];
      if (!way) return;
      event.preventDefault();
      const point = this.points[name];
      this.points[name] = { x: point.x + way[0] * times, y: point.y + way[1] * times };
      this.draw();
    }

    draw() {
      const { a, b } = this.points, box = this.svg.viewBox.baseVal;
      this.box.setAttribute("x", Math.min(a.x, b.x));
      this.box.setAttribute("y", Math.min(a.y, b.y));
      this.box.setAttribute("width", Math.abs(a.x - b.x));
      this.box.setAttribute("height", Math.abs(a.y - b.y));
      const paths = [
        `M${a.x} ${Math.max(a.y - 14, 0)}V${Math.min(a.y + 14, box.height)}`,
        `M${b.x} ${Math.max(b.y - 14, 0)}V${Math.min(b.y + 14, box.height)}`,
        `M${Math.min(a.x, b.x) - 4} ${a.y}H${Math.max(a.x, b.x) + 4}`,
        `M${Math.min(a.x, b.x) - 4} ${b.y}H${Math.max(a.x, b.x) + 4}`,
      ];
      paths.forEach((path, index) => this.lines[index].setAttribute("d", path));
      ["a", "b"].forEach((name, index) => {
        this.handles[index].setAttribute("cx", this.points[name].x);
        this.handles[index].setAttribute("cy", this.points[name].y);
      });
      this.reading.textContent = this.words();
    }

    words() {
      const { a, b } = this.points;
      const from = scaleAt(this.svg, a), to = scaleAt(this.svg, b);
      if (!from || (to && (to.speed !== from.speed || to.gain !== from.gain))) {
        return this.reading.dataset.other;
      }
      const ms = Math.abs(b.x - a.x) / from.speed * 1000;
      const mv = (a.y - b.y) / from.gain;
      const rate = ms >= 200 ? ` (${Math.round(60000 / ms)}/min)` : "";
      return `${from.lead}: ${Math.round(ms)} ms${rate}, ${mv >= 0 ? "+" : "\u2212"}${Math.abs(mv).toFixed(2)} mV (${Math.abs(mv * 10).toFixed(1)} mm)`;
    }
  }

  function toggle(button) {
    const ecg = button.closest(".ecg");
    const reading = ecg.querySelector(".caliper-reading");
    if (button.calipers) {
      button.calipers.forEach((one) => one.remove());
      button.calipers = null;
      reading.textContent = "";
    } else {
      button.calipers = [...ecg.querySelectorAll(".paper-scroll > svg")].map((svg) => new Calipers(svg, reading));
      reading.textContent = reading.dataset.hint;
      button.calipers[0].handles[0].focus({ preventScroll: true });
    }
    button.setAttribute("aria-pressed", button.calipers ? "true" : "false");
  }

  function ready(root) {
    root.querySelectorAll(".caliper-toggle[hidden]").forEach((button) => { button.hidden = false; });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".caliper-toggle");
    if (button) toggle(button);
  });
  document.addEventListener("htmx:after:swap", () => ready(document));
  ready(document);
})();
