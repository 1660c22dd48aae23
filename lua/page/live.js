// Keeps a page up to date: asks its server for it again and replaces the sections that changed.
// Whoever works by keyboard keeps their place, what was opened stays open, what is being selected
// is left alone, and a page that nobody looks at asks for nothing.
(() => {
  "use strict";
  const every = Number(document.body.dataset.every) * 1000;
  const state = document.getElementById("live-state");
  const button = document.getElementById("live-pause");
  const seen = new Map();
  let timer = 0, paused = false;

  const parts = () => document.querySelectorAll("[data-live]");
  for (const part of parts()) seen.set(part.id, part.innerHTML);

  function say(words, lost) {
    if (state.textContent !== words) state.textContent = words;
    state.parentElement.classList.toggle("lost", Boolean(lost));
  }

  // What has the focus within a part, as something to find it by again.
  function place(part) {
    const active = document.activeElement;
    if (!part.contains(active)) return null;
    if (active.id) return `#${CSS.escape(active.id)}`;
    const link = active.getAttribute("href");
    return link ? `a[href="${CSS.escape(link)}"]` : active.localName;
  }

  function isSelecting(part) {
    const selection = getSelection();
    return !selection.isCollapsed && part.contains(selection.anchorNode);
  }

  function replace(part, fresh) {
    const focus = place(part);
    const open = [...part.querySelectorAll("details[open]")].map((one) => one.id);
    part.replaceChildren(...fresh.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focus) part.querySelector(focus)?.focus({ preventScroll: true });
    part.classList.remove("fresh");
    void part.offsetWidth; // so that the animation begins anew
    part.classList.add("fresh");
  }

  async function refresh() {
    const answer = await fetch(location.pathname,
      { cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts()) {
      const fresh = next.getElementById(part.id);
      if (!fresh || fresh.innerHTML === seen.get(part.id) || isSelecting(part)) continue;
      seen.set(part.id, fresh.innerHTML);
      replace(part, fresh);
    }
  }

  async function turn() {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    try {
      await refresh();
      say("updating by itself");
    } catch {
      say("the coordinator does not answer; trying again", true);
    }
    clearTimeout(timer);
    if (!paused) timer = setTimeout(turn, every);
  }

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    button.textContent = paused ? "Continue" : "Pause";
    if (paused) say("held");
    else turn();
  });
  document.addEventListener("visibilitychange", turn);
  timer = setTimeout(turn, every);
})();
