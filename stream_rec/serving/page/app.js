// The live page: three parts, data from the service that serves it, no framework.

import { $ } from "./elements.js";
import { look, startLook } from "./look.js";
import { showNow, takePoints } from "./now.js";
import { follow } from "./requests.js";
import { setClock, startTry } from "./try.js";

const RETRY_MS = 2000;
const PARTS = ["try", "now", "look"];

async function live() {
  for (;;) {
    try {
      await follow("/live/stream", (kind, data) => {
        $("link").textContent = "live";
        $("link").className = "live";
        if (kind === "about") $("app").textContent = data.app_id === "stream-rec" ? "" : data.app_id;
        else takePoints(kind === "history" ? data : [data], kind === "history");
        const latest = kind === "history" ? data.at(-1) : data;
        if (latest) setClock(latest.log_s);
        if (latest && kind !== "about") performance.mark("figures");
      });
    } catch { /* the service is away; the state line says so */ }
    $("link").textContent = "no connection, trying again";
    $("link").className = "";
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

// #try, #now, #look, #look/user/ID, #look/item/ID
let started = false;
function show() {
  const [name, kind, ...rest] = location.hash.slice(1).split("/");
  const wanted = PARTS.includes(name) ? name : "try";
  for (const link of document.querySelectorAll("nav a")) {
    const isIt = link.dataset.part === wanted;
    if (isIt) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    $(`part-${link.dataset.part}`).hidden = !isIt;
  }
  document.title = `${document.querySelector("nav [aria-current]").textContent} · stream_rec live`;
  if (wanted === "try" && !started) {
    started = true;
    startTry();
  }
  if (wanted === "now") showNow();
  if (wanted === "look") look(kind, decodeURIComponent(rest.join("/")));
}

for (const link of document.querySelectorAll(".skip")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    $(link.hash.slice(1)).focus();
  });
}
addEventListener("hashchange", () => { show(); scrollTo(0, 0); });
startLook();
show();
live();
