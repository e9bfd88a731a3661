// Where the eye goes after an answer, and how a link into a closed fold opens it.
"use strict";
(() => {
  let answered = false;

  document.addEventListener("submit", (event) => {
    if (event.target.closest("#assessment")) answered = true;
  });

  document.addEventListener("htmx:after:swap", () => {
    const changes = answered && document.getElementById("changes");
    if (changes) {
      answered = false;
      changes.scrollIntoView({ block: "start" });
      changes.focus({ preventScroll: true });
    }
  });

  // A link to a question inside a closed fold opens the fold first.
  function reveal() {
    const wanted = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = wanted; at; at = at.parentElement) {
      if (at instanceof HTMLDetailsElement) at.open = true;
    }
    if (wanted) wanted.scrollIntoView({ block: "center" });
  }
  window.addEventListener("hashchange", reveal);
  reveal();
})();
