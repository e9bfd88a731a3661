// The viewer of slides: OpenSeadragon over the tiles of the service, with a scale bar and distances.
"use strict";
(() => {
  const root = document.getElementById("slide-viewer"), canvas = document.getElementById("slide-canvas");
  if (!root || !canvas || !window.OpenSeadragon) return;
  const width = Number(root.dataset.width), height = Number(root.dataset.height);
  const mpp = Number(root.dataset.mpp) || 0;
  const said = root.querySelector("[data-measured]"), problem = root.querySelector("[data-problem]");
  const scale = root.querySelector("[data-scale]"), button = root.querySelector('[data-do="measure"]');
  const TILE = 254, OVERLAP = 1;
  for (const one of root.querySelectorAll(".scripted")) one.hidden = false;

  // OpenSeadragon would write a style into the page, which the page does not allow: its rule is in
  // imaging.css, and it takes this element, which is no style sheet, for its own.
  const own = document.createElementNS("urn:epicrisis:none", "style");
  own.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(own);

  const viewer = OpenSeadragon({
    element: canvas,
    tileSources: {
      width, height, tileSize: TILE, tileOverlap: OVERLAP,
      getTileUrl: (level, x, y) => `${root.dataset.tiles}${level}/${x}_${y}.jpeg`,
    },
    drawer: "canvas",
    showNavigationControl: false,
    showNavigator: true,
    navigatorPosition: "TOP_RIGHT",
    navigatorSizeRatio: 0.16,
    animationTime: 0.4,
    maxZoomPixelRatio: 4,
    visibilityRatio: 0.4,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    timeout: 60000,
  });

  // ---- a tile that cannot be shown is told, not left blank without a word
  viewer.addHandler("tile-load-failed", async (event) => {
    if (!problem.hidden) return;
    let reason = root.dataset.wordFailed, way = "";
    try {
      const answer = await fetch(event.tile.getUrl(), { headers: { Accept: "application/json" } });
      if (answer.ok) return;
      const told = await answer.json();
      reason = `${root.dataset.wordFailed}: ${told.reason || told.title}`;
      way = told.way_out || "";
    } catch (error) { /* the words above say it */ }
    problem.querySelector(".problem-words").textContent = reason;
    problem.querySelector(".problem-way").textContent = way;
    problem.hidden = false;
  });

  // ---- the scale bar
  function bar() {
    const item = viewer.world.getItemAt(0);
    if (!mpp || !item) return;
    const screen = item.viewportToImageZoom(viewer.viewport.getZoom(true));
    const most = 140 / screen * mpp;
    const power = 10 ** Math.floor(Math.log10(most));
    const um = [5, 2, 1].map((n) => n * power).find((n) => n <= most) || power;
    scale.querySelector(".bar").style.width = `${um / mpp * screen}px`;
    scale.querySelector("[data-scale-words]").textContent = um >= 1000 ? `${um / 1000} mm` : `${um} µm`;
    scale.hidden = false;
  }

  // ---- layers: a picture that lies over the slide for each box that is ticked
  const box = root.querySelector("[data-layers]");
  const over = new Map();
  function said_(legend, words, kind) {
    const row = document.createElement("span");
    row.className = kind;
    row.textContent = words;
    legend.append(row);
    return row;
  }
  async function lay(key, tick, legend) {
    legend.textContent = box.dataset.wordLoading;
    let told = null, ok = false;
    try {
      const answer = await fetch(`${box.dataset.layers}${key}`, { headers: { Accept: "application/json" } });
      told = await answer.json();
      ok = answer.ok;
    } catch (error) { told = { reason: box.dataset.wordFailed }; }
    legend.textContent = "";
    if (!tick.checked) return;
    if (!ok) {
      said_(legend, told.reason || told.title || box.dataset.wordFailed, "na-text");
      if (told.way_out) said_(legend, told.way_out, "quiet").lang = "en";
      return;
    }
    for (const one of told.labels) {
      const row = said_(legend, one.label, "legend-row"), colour = document.createElement("span");
      colour.className = "colour";
      colour.style.background = one.colour;
      row.prepend(colour);
    }
    for (const note of told.notes) said_(legend, note, "quiet");
    viewer.addSimpleImage({
      url: `${box.dataset.layers}${key}/picture`, x: 0, y: 0, width: told.width,
      success: (event) => {
        if (tick.checked && !over.has(key)) over.set(key, event.item);
        else viewer.world.removeItem(event.item);
      },
      error: () => said_(legend, box.dataset.wordFailed, "na-text"),
    });
  }
  if (box) for (const tick of box.querySelectorAll("[data-layer]")) {
    tick.addEventListener("change", () => {
      const key = tick.dataset.layer, legend = box.querySelector(`[data-legend="${key}"]`);
      if (tick.checked) { lay(key, tick, legend); return; }
      if (over.has(key)) viewer.world.removeItem(over.get(key));
      over.delete(key);
      legend.textContent = "";
    });
  }

  // ---- distances: two points, told in micrometres where the pixel size is known
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("class", "slide-line");
  const strokes = ["under", ""].map((kind) => {
    const stroke = document.createElementNS(NS, "line");
    stroke.setAttribute("class", kind);
    svg.append(stroke);
    return stroke;
  });
  canvas.parentElement.append(svg);
  let points = null, measuring = false;

  function draw() {
    svg.toggleAttribute("hidden", !points || points.length < 2);
    if (!points || points.length < 2) return;
    const item = viewer.world.getItemAt(0);
    const [a, b] = points.map((p) => item.imageToViewerElementCoordinates(p));
    for (const stroke of strokes) {
      stroke.setAttribute("x1", a.x); stroke.setAttribute("y1", a.y);
      stroke.setAttribute("x2", b.x); stroke.setAttribute("y2", b.y);
    }
    const long = Math.hypot(points[1].x - points[0].x, points[1].y - points[0].y);
    const um = long * mpp;
    said.textContent = !mpp ? `${long.toFixed(0)} ${root.dataset.wordPixels}`
      : um >= 1000 ? `${(um / 1000).toFixed(2)} mm` : `${um.toFixed(um < 100 ? 1 : 0)} µm`;
  }

  function measure() {
    measuring = !measuring;
    points = null;
    button.setAttribute("aria-pressed", String(measuring));
    said.textContent = measuring ? root.dataset.wordHint : "";
    draw();
  }

  viewer.addHandler("canvas-click", (event) => {
    if (!measuring || !event.quick) return;
    const point = viewer.world.getItemAt(0).viewerElementToImageCoordinates(event.position);
    points = points && points.length === 1 ? [points[0], point] : [point];
    draw();
  });
  for (const name of ["open", "update-viewport", "resize"]) viewer.addHandler(name, () => { bar(); draw(); });

  const acts = {
    in: () => { viewer.viewport.zoomBy(1.4); viewer.viewport.applyConstraints(); },
    out: () => { viewer.viewport.zoomBy(1 / 1.4); viewer.viewport.applyConstraints(); },
    fit: () => viewer.viewport.goHome(),
    full: () => viewer.viewport.zoomTo(viewer.world.getItemAt(0).imageToViewportZoom(1)),
    measure,
  };
  for (const one of root.querySelectorAll("[data-do]")) one.addEventListener("click", () => acts[one.dataset.do]());
  root.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "m" && !event.ctrlKey && !event.metaKey && !event.altKey) { measure(); event.preventDefault(); }
  });
})();
