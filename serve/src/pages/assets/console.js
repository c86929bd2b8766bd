// What moves on the pages; all of them work without it.
"use strict";

// Copies the text of what a button names.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button) {
    navigator.clipboard.writeText(button.dataset.copy).then(() => { button.textContent = "Copied"; });
  }
});

// Live: the page is asked for anew when an incident changes, and now and then, until it is touched.
const live = document.getElementById("live");
if (live) {
  let on = true;
  let asking = false;
  const say = () => { live.textContent = on ? "Live: stop" : "Stopped: go on"; live.setAttribute("aria-pressed", String(on)); };
  const stop = () => { if (on) { on = false; say(); } };
  const renew = async () => {
    if (!on || asking || document.hidden) return;
    asking = true;
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (response.ok && on) {
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        for (const section of page.querySelectorAll("main section")) {
          const title = section.querySelector("h2");
          const old = [...document.querySelectorAll("main section")]
            .find((one) => title && one.querySelector("h2")?.textContent === title.textContent);
          if (old && on) old.replaceWith(document.adoptNode(section));
        }
      }
    } catch { /* The next time may do. */ }
    asking = false;
  };
  live.hidden = false;
  say();
  live.addEventListener("click", () => { on = !on; say(); renew(); });
  const main = document.querySelector("main");
  for (const kind of ["pointerdown", "keydown", "selectstart"]) {
    main.addEventListener(kind, (event) => { if (!live.contains(event.target)) stop(); });
  }
  const events = new EventSource("/api/v1/events");
  for (const kind of ["open", "update", "close"]) {
    events.addEventListener(kind, (event) => { if (event.data) renew(); });
  }
  setInterval(renew, 15000);
}

// SQL: Ctrl-Enter asks, Tab completes names, and what was asked is kept in this browser.
const editor = document.getElementById("q");
if (editor) {
  const names = (document.getElementById("names")?.dataset.names ?? "").split(" ");
  const hint = document.getElementById("hint");
  let at = -1;
  let found = [];
  const word = () => editor.value.slice(0, editor.selectionStart).match(/[A-Za-z_][A-Za-z0-9_]*$/)?.[0] ?? "";
  const show = () => {
    hint.replaceChildren(...found.map((name, index) => {
      const line = document.createElement("li");
      line.textContent = name;
      line.setAttribute("role", "option");
      line.setAttribute("aria-selected", String(index === at));
      line.addEventListener("mousedown", (event) => { event.preventDefault(); take(name); });
      return line;
    }));
    hint.hidden = found.length === 0;
  };
  const take = (name) => {
    const end = editor.selectionStart;
    editor.setRangeText(name, end - word().length, end, "end");
    found = [];
    show();
  };
  editor.addEventListener("input", () => {
    const begun = word().toLowerCase();
    found = begun.length > 1 ? names.filter((name) => name.startsWith(begun) && name !== begun).slice(0, 8) : [];
    at = found.length ? 0 : -1;
    show();
  });
  editor.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      editor.form.requestSubmit();
    } else if (found.length && event.key === "Tab") {
      event.preventDefault();
      take(found[Math.max(at, 0)]);
    } else if (found.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      show();
    } else if (event.key === "Escape") {
      found = [];
      show();
    }
  });
  editor.addEventListener("blur", () => { found = []; show(); });
  const KEPT = 30;
  const past = document.getElementById("past");
  let kept = [];
  try { kept = JSON.parse(localStorage.getItem("statements") ?? "[]"); } catch { /* No past, then. */ }
  if (editor.value.trim()) {
    kept = [editor.value, ...kept.filter((one) => one !== editor.value)].slice(0, KEPT);
    try { localStorage.setItem("statements", JSON.stringify(kept)); } catch { /* Not kept, then. */ }
  }
  if (past && kept.length) {
    past.hidden = false;
    past.querySelector("ol").replaceChildren(...kept.map((one) => {
      const line = document.createElement("li");
      const link = document.createElement("a");
      link.href = "/sql?q=" + encodeURIComponent(one);
      link.textContent = one.replace(/\s+/g, " ").slice(0, 160);
      line.append(link);
      return line;
    }));
  }
}
