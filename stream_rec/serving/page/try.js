// Try it: a shop window whose visitor's list changes with every click.

import { $, element, number } from "./elements.js";
import { get, post } from "./requests.js";
import { countPairs, describe, detailsOf, known, learn, poster, titleOf, whyOf } from "./titles.js";

const PATIENCE_MS = 15_000;
const STARS = [1, 2, 3, 4, 5];
const WINDOW_TITLES = 16;

// A recorded log lies in the past: what is done here is dated as its continuation.
const logClock = { log_s: 0, at_ms: 0 };
let clockIsSet;
const clock = new Promise((resolve) => { clockIsSet = resolve; });
export function setClock(log_s) {
  Object.assign(logClock, { log_s, at_ms: Date.now() });
  clockIsSet();
}
async function eventTime() {
  await clock;
  const now_s = Date.now() / 1000;
  return logClock.log_s ? Math.min(now_s, logClock.log_s + now_s - logClock.at_ms / 1000) : undefined;
}

// The visitor: `had` has the rating of each item, null for one that was only clicked.

const newUser = () => `visitor-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
export const me = {
  user: sessionStorage.getItem("user") ?? newUser(),
  had: JSON.parse(sessionStorage.getItem("had") ?? "{}"),
  shown: [],
};
function remember() {
  sessionStorage.setItem("user", me.user);
  sessionStorage.setItem("had", JSON.stringify(me.had));
  $("look-me").setAttribute("href", `#look/user/${encodeURIComponent(me.user)}`);
}
export const tellOfMine = (item) => {
  const rating = me.had[item];
  return [rating == null ? "you picked " : "you rated ", element("b", {}, titleOf(item)), rating == null ? "" : ` ${rating}`];
};

// Stars: one stop of the Tab key for each title, arrows in between, Enter rates.

function paint(stars) {
  const rating = me.had[stars.dataset.item] ?? 0;
  [...stars.children].forEach((star, x) => {
    star.textContent = rating >= 2 * x + 1 ? "★" : "☆";
    star.classList.toggle("on", rating >= 2 * x + 1);
    star.setAttribute("aria-pressed", rating === 2 * (x + 1));
    star.tabIndex = (rating ? rating === 2 * (x + 1) : x === 0) ? 0 : -1;
  });
}

function walk(event) {
  const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const stars = [...event.currentTarget.children];
  const next = stars[(stars.indexOf(event.target) + step + stars.length) % stars.length];
  stars.forEach((star) => { star.tabIndex = star === next ? 0 : -1; });
  next.focus();
}

function starsFor(item) {
  const stars = element("div", { class: "stars", role: "toolbar", "aria-label": `Rate ${titleOf(item)}`, "data-item": item, onkeydown: walk },
    ...STARS.map((n) => element("button", { type: "button", "aria-label": `${n} of 5 stars`, onclick: () => act(item, 2 * n) })));
  paint(stars);
  return stars;
}

// The shelf

const filmCard = ({ item }) => element("li", { class: "film" },
  element("button", { type: "button", class: "poster", "data-item": item, "aria-pressed": String(item in me.had), onclick: () => act(item, me.had[item] ?? null) },
    poster(item), element("strong", {}, titleOf(item)), element("span", { class: "details" }, detailsOf(item)),
    element("span", { class: "seen" }, "✓ seen")),
  starsFor(item));

let searched = 0;
async function search() {
  const turn = ++searched;
  const words = $("search").value.trim();
  const films = await get(`/live/search?q=${encodeURIComponent(words)}`);
  if (turn !== searched) return;
  learn(films);
  $("films").replaceChildren(...(words ? films : films.slice(0, WINDOW_TITLES)).map(filmCard));
  $("films").scrollLeft = 0;
  $("shelf-says").textContent = !words ? "Popular now" : films.length ? `${films.length} ${films.length === 1 ? "title" : "titles"}` : "No title has these words";
}

// The list

const moveOf = (before, item, place) => {
  if (!before.length) return "";
  const was = before.indexOf(item);
  if (was < 0) return element("span", { class: "move new" }, "new");
  if (was === place) return "";
  const up = was > place;
  return element("span", { class: up ? "move up" : "move down" }, element("span", { "aria-hidden": "true" }, up ? "▲" : "▼"),
    element("span", { class: "unseen" }, up ? "up" : "down"), ` ${Math.abs(was - place)}`);
};

function glide(tops) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const entry of $("list").children) {
    const top = tops.get(entry.dataset.item);
    const from = top == null ? { opacity: 0, transform: "translateX(24px)" } : { transform: `translateY(${top - entry.offsetTop}px)` };
    entry.animate([from, { opacity: 1, transform: "none" }], { duration: 450, easing: "cubic-bezier(.2, .8, .2, 1)" });
  }
}

async function showList(answer) {
  const [pairs] = await Promise.all([countPairs(answer.items),
    describe(answer.items.flatMap((entry) => [entry.item, ...entry.reasons.map((reason) => reason.because)]))]);
  const before = me.shown;
  const tops = new Map([...$("list").children].map((entry) => [entry.dataset.item, entry.offsetTop]));
  const place = [...$("list").children].findIndex((entry) => entry.contains(document.activeElement));
  me.shown = answer.items.map((entry) => entry.item);
  $("list").replaceChildren(...answer.items.map((entry, x) => element("li", { "data-item": entry.item },
    element("span", { class: "thumb" }, poster(entry.item)),
    element("div", { class: "what" },
      element("p", { class: "name" }, element("strong", {}, titleOf(entry.item)), " ", element("span", { class: "year" }, known.get(entry.item)?.year ?? ""), moveOf(before, entry.item, x)),
      element("p", { class: "why" }, ...whyOf(entry, pairs, tellOfMine))),
    starsFor(entry.item))));
  if (before.length) glide(tops);
  if (place >= 0) ($("list").children[place]?.querySelector("[tabindex='0']") ?? $("yours")).focus();
  showHad();
}

function showHad() {
  const had = Object.entries(me.had).reverse();
  $("had-part").hidden = !had.length;
  $("had").replaceChildren(...had.map(([item, rating]) => element("li", {}, titleOf(item), rating == null ? "" : element("b", {}, ` ★ ${rating}`))));
  document.querySelectorAll(".stars").forEach(paint);
  document.querySelectorAll(".films .poster").forEach((card) => card.setAttribute("aria-pressed", String(card.dataset.item in me.had)));
}

const say = (...words) => $("took").replaceChildren(...words);
const listPath = () => `/users/${encodeURIComponent(me.user)}/recommendations?n=10`;

// Write the event, and ask until the list reflects it.
let acted = 0;
async function act(item, rating) {
  const turn = ++acted;
  me.had = Object.fromEntries([...Object.entries(me.had).filter(([each]) => each !== item), [item, rating]]);
  remember();
  showHad();
  const started = performance.now();
  const kind = rating == null ? { type: "click" } : { type: "rating", value: rating };
  try {
    const { events: [place] } = await post("/events", { user: me.user, item, ts: await eventTime(), ...kind });
    let answer;
    do answer = await get(`${listPath()}&wait_for=${place.partition}:${place.offset}`);
    while (!answer.reflects && turn === acted && performance.now() - started < PATIENCE_MS);
    if (turn !== acted) return;
    const took_ms = performance.now() - started;
    if (answer.reflects) say(element("b", {}, `${number(took_ms)} ms`), " from your click to this list");
    else say("Kafka has it; the list is on its way");
    await showList(answer);
  } catch (error) {
    if (turn === acted) say(error.message);
  }
}

async function start() {
  say();
  await Promise.all([search(), describe(Object.keys(me.had)), get(listPath()).then(showList)]);
}

export function startTry() {
  remember();
  let searching;
  $("search").addEventListener("input", () => { searching = search(); });
  $("search-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    await searching;
    $("films").querySelector(".poster")?.focus();
  });
  $("anew").addEventListener("click", async () => {
    Object.assign(me, { user: newUser(), had: {}, shown: [] });
    acted += 1;
    remember();
    $("search").value = "";
    await start();
    $("search").focus();
  });
  start().catch((error) => say(error.message));
}
