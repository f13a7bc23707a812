// Keeps a page that is looked at up to date, and copies commands; every page works without it.
"use strict";

function busy(main) {
  const selection = window.getSelection();
  const selecting = selection && !selection.isCollapsed && main.contains(selection.anchorNode);
  const typing = main.contains(document.activeElement) &&
    document.activeElement.matches("input, select, button");
  return document.hidden || selecting || typing;
}

function opened(main) {
  return [...main.querySelectorAll("details")].map((details) => details.open);
}

async function refresh() {
  const main = document.querySelector("main[data-every-ms]");
  if (!main) return;
  if (!busy(main)) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.redirected) return location.assign(answer.url); // signed out meanwhile
      if (!answer.ok) throw new Error(answer.statusText);
      replace(main, new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      document.querySelector(".standing")?.classList.add("stale");
    }
  }
  lookAgain();
}

function lookAgain() {
  const main = document.querySelector("main[data-every-ms]");
  if (main) setTimeout(refresh, Number(main.dataset.everyMs));
}

function replace(main, fresh) {
  const states = opened(main);
  const newer = fresh.querySelector("main");
  newer.querySelectorAll("details").forEach((details, at) => { details.open = states[at] ?? false; });
  const scrolled = [...main.querySelectorAll(".output, .scroll")].map((each) => [each.scrollTop, each.scrollLeft]);
  main.replaceWith(newer);
  newer.querySelectorAll(".output, .scroll").forEach((each, at) => {
    if (scrolled[at]) [each.scrollTop, each.scrollLeft] = scrolled[at];
  });
  document.querySelector(".standing")?.replaceWith(fresh.querySelector(".standing"));
}

document.addEventListener("click", (event) => {
  const command = event.target.closest("code.command");
  if (command && navigator.clipboard) {
    navigator.clipboard.writeText(command.textContent);
    command.classList.add("copied");
    setTimeout(() => command.classList.remove("copied"), 700);
  }
});
lookAgain();
