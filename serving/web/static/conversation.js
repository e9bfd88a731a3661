// The chat (steps and verified answers as they come), the evidence drawer, and the keys of sign-off.
"use strict";
(() => {
  const drawer = () => document.getElementById("evidence");
  let opener = null;

  function token() {
    const field = document.querySelector('input[name="csrf"]');
    return field ? field.value : "";
  }

  function grown(html) {
    const shell = document.createElement("template");
    shell.innerHTML = html;
    return shell.content;
  }

  function alive(node) {
    if (node && window.htmx) window.htmx.process(node);
    return node;
  }

  // ---- chat -------------------------------------------------------------------------------

  // Server-sent events of one response: yields {name, data} as they come.
  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      let end;
      while ((end = text.indexOf("\n\n")) >= 0) {
        const lines = text.slice(0, end).split("\n");
        text = text.slice(end + 2);
        const name = lines.find((line) => line.startsWith("event: "));
        const data = lines.filter((line) => line.startsWith("data: "));
        if (data.length) {
          yield { name: name ? name.slice(7) : "", data: data.map((line) => line.slice(6)).join("\n") };
        }
      }
    }
  }

  function problem(form, text) {
    const place = form.closest(".chat").querySelector(".chat-problem");
    place.textContent = text;
    place.hidden = !text;
  }

  async function reason(response) {
    try {
      const body = await response.json();
      return body.detail || body.title || "";
    } catch {
      return "";
    }
  }

  function follow(node) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    node.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }

  async function show(form, response) {
    const turns = form.closest(".chat").querySelector(".turns");
    let turn = null;
    let ended = false;
    for await (const { name, data } of events(response)) {
      if (name === "begin") {
        turns.append(grown(data));
        turn = turns.lastElementChild;
        form.elements.question.value = "";
        follow(turn);
      } else if (name === "step" && turn) {
        turn.querySelector(".steps").append(grown(data));
        follow(turn);
      } else if (name === "end" && turn) {
        const fresh = grown(data).firstElementChild;
        turn.replaceWith(fresh);
        turn = alive(fresh);
        follow(turn);
        ended = true;
      }
    }
    if (!ended) problem(form, form.dataset.cut);
  }

  async function ask(form) {
    const button = form.querySelector("button[type=submit]");
    const question = form.elements.question;
    if (button.disabled || !question.value.trim()) return;
    problem(form, "");
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "text/event-stream", "X-CSRF-Token": token() },
      });
      if (response.ok) await show(form, response);
      else problem(form, `${form.dataset.failed} ${await reason(response)}`);
    } catch {
      problem(form, form.dataset.cut);
    } finally {
      button.disabled = false;
      form.removeAttribute("aria-busy");
      question.focus();
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("form[data-chat]") && window.TextDecoderStream) {
      event.preventDefault();
      ask(form);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.matches?.("form[data-chat] textarea")) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
  });

  // ---- the evidence drawer ------------------------------------------------------------------

  function close() {
    const place = drawer();
    if (!place || !place.firstElementChild) return false;
    place.replaceChildren();
    if (opener && opener.isConnected) opener.focus();
    opener = null;
    return true;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('[hx-target="#evidence"]');
    if (link && !link.closest("#evidence")) opener = link;
    if (event.target.closest?.("[data-close-evidence]")) close();
  });

  document.addEventListener("htmx:after:swap", () => {
    const title = drawer()?.querySelector("#evidence-title");
    if (title && opener && !drawer().contains(document.activeElement)) title.focus();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && close()) event.preventDefault();
  });

  // ---- worklist: never refreshed under the hands of who writes in it --------------------------

  document.addEventListener("htmx:before:request", (event) => {
    const list = event.target?.closest?.("[data-refresh]");
    const active = document.activeElement;
    if (list && event.target === list && active?.matches("input, textarea") && list.contains(active)) {
      event.preventDefault();
    }
  });

  // ---- sign-off: j and k move, a accepts, e edits, r rejects --------------------------------

  const DECIDE = { a: "accept", e: "edit", r: "reject" };

  function statements() {
    return [...document.querySelectorAll("[data-statement]")];
  }

  function move(step) {
    const all = statements();
    const now = all.indexOf(document.activeElement?.closest("[data-statement]"));
    const next = all[Math.min(all.length - 1, Math.max(0, now < 0 ? 0 : now + step))];
    next?.focus();
  }

  function choose(statement, decision) {
    const radio = statement.querySelector(`input[type=radio][value="${decision}"]`);
    if (!radio || radio.disabled) return;
    radio.checked = true;
    radio.dispatchEvent(new Event("change", { bubbles: true }));
    const field = statement.querySelector(decision === "edit" ? "[name=text]" : "[name=reason]");
    if (decision !== "accept" && field) field.focus();
  }

  // Accepting needs no more words: it is sent at once.
  document.addEventListener("change", (event) => {
    const radio = event.target;
    if (radio.matches?.('[data-statement] input[type=radio]') && radio.value === "accept") radio.form.requestSubmit();
  });

  // A statement that was decided takes a new element: the place on the page is kept.
  let decided = null;

  document.addEventListener("submit", (event) => {
    const statement = event.target.closest?.("[data-statement]");
    if (statement) decided = statement.id;
  });

  document.addEventListener("htmx:after:swap", () => {
    const statement = decided && document.getElementById(decided);
    if (statement && !statement.contains(document.activeElement)) statement.focus({ preventScroll: true });
    if (statement) decided = null;
  });

  document.addEventListener("keydown", (event) => {
    if (!document.querySelector("[data-statement]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches?.("textarea, input:not([type=radio]), select")) return;
    if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      move(event.key === "j" ? 1 : -1);
    }
    const statement = document.activeElement?.closest?.("[data-statement]");
    if (statement && DECIDE[event.key]) {
      event.preventDefault();
      choose(statement, DECIDE[event.key]);
    }
  });
})();
