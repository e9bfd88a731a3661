// Counts on from the server's time what is due; without this script the page shows it as of loading.
"use strict";
(() => {
  const server = Date.parse(document.body.dataset.now);
  const ahead = Number.isNaN(server) ? 0 : server - Date.now();

  function length(minutes, words) {
    const whole = Math.floor(Math.abs(minutes));
    if (whole < 60) return words.min.replace("%d", String(whole));
    return words.hour
      .replace("%d", String(Math.floor(whole / 60)))
      .replace("%02d", String(whole % 60).padStart(2, "0"));
  }

  function tick() {
    for (const shown of document.querySelectorAll("time[data-due]")) {
      const minutes = (Date.parse(shown.dataset.due) - (Date.now() + ahead)) / 60000;
      if (Number.isNaN(minutes) || Math.abs(minutes) > 2880) continue;
      const over = minutes < 0;
      const pattern = over ? shown.dataset.over : shown.dataset.in;
      const text = pattern.replace("%s", length(minutes, shown.dataset));
      const relation = shown.querySelector(".relation");
      if (relation && relation.textContent !== text) relation.textContent = text;
      shown.classList.toggle("overdue", over);
      const clock = shown.closest(".clock");
      if (clock) clock.classList.toggle("overdue", over);
    }
  }

  tick();
  window.setInterval(tick, 5000);
  document.addEventListener("htmx:after:swap", tick);
})();
