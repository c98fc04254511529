// The live page: three parts, data from the service that serves it, no framework.

const $ = (id) => document.getElementById(id);
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};

// Requests

let key = sessionStorage.getItem("key");
const askForKey = () => new Promise((resolve) => {
  const dialog = $("key-dialog");
  dialog.addEventListener("close", () => {
    key = $("key").value;
    sessionStorage.setItem("key", key);
    resolve();
  }, { once: true });
  if (!dialog.open) dialog.showModal();
});

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (key) headers.authorization = `Bearer ${key}`;
  const answer = await fetch(path, { ...options, headers });
  if (answer.status !== 401) return answer;
  await askForKey();
  return ask(path, options);
}

async function get(path) {
  const answer = await ask(path);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.json();
}

const post = (path, body) => ask(path, {
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
});

async function follow(path, handle) {
  const answer = await ask(path);
  if (!answer.ok) throw new Error("no stream");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const messages = text.split("\n\n");
    text = messages.pop();
    for (const message of messages) {
      const lines = message.split("\n");
      const of = (name) => lines.find((line) => line.startsWith(name))?.slice(name.length + 1);
      if (of("data:")) handle(of("event:"), JSON.parse(of("data:")));
    }
  }
}

// Titles

const known = new Map();
async function describe(ids) {
  const missing = [...new Set(ids)].filter((id) => id && !known.has(id));
  if (missing.length) {
    const found = await get(`/live/items?ids=${encodeURIComponent(missing.join("\t"))}`);
    for (const item of Object.values(found)) known.set(item.item, item);
  }
}
const titleOf = (id) => known.get(id)?.title ?? id;
const fullTitle = (id) => known.get(id)?.year ? `${titleOf(id)} (${known.get(id).year})` : titleOf(id);

// Try it

const newUser = () => `visitor-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
const me = {
  user: sessionStorage.getItem("user") ?? newUser(),
  ratings: JSON.parse(sessionStorage.getItem("ratings") ?? "{}"),
  shown: [],
};
const remember = () => {
  sessionStorage.setItem("user", me.user);
  sessionStorage.setItem("ratings", JSON.stringify(me.ratings));
};

const toneOf = (text) => [...text].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 6, 7);

function filmCard(item) {
  known.set(item.item, item);
  const rated = me.ratings[item.item] ?? 0;
  const stars = [1, 2, 3, 4, 5].map((n) => element("button", {
    type: "button", class: rated >= 2 * n ? "on" : "", "aria-label": `${n} of 5 stars for ${item.title}`,
    onclick: () => rate(item.item, 2 * n),
  }, rated >= 2 * n ? "★" : "☆"));
  return element("li", { class: "film", "data-item": item.item },
    element("div", { class: `poster tone-${toneOf(item.genres || item.title)}` },
      element("strong", {}, item.title),
      element("span", {}, [item.year, item.genres.split("|").slice(0, 2).join(", ")].filter(Boolean).join(" · "))),
    element("div", { class: "stars", role: "group", "aria-label": `Rate ${item.title}` }, ...stars));
}

let films = [];
const showFilms = () => $("films").replaceChildren(...films.map(filmCard));
let searched = 0;
async function search() {
  const number = ++searched;
  const found = await get(`/live/search?q=${encodeURIComponent($("search").value)}`);
  if (number !== searched) return;
  films = found;
  showFilms();
}

function whyOf(entry) {
  const reason = entry.reasons[0] ?? { source: "new" };
  const taken = known.get(entry.item)?.taken ?? 0;
  const others = taken ? `; ${taken} others had it` : "";
  if (reason.because) {
    const rating = me.ratings[reason.because];
    const verb = rating ? "you rated" : "of";
    return `because ${verb} ${titleOf(reason.because)}${rating ? ` ${rating}` : ""}${others}`;
  }
  if (reason.source.startsWith("popular")) return `popular just now${others}`;
  return reason.source === "new" ? "new here" : `${reason.source.replaceAll("_", " ")}${others}`;
}

async function showList(answer) {
  await describe(answer.items.flatMap((entry) => [entry.item, ...entry.reasons.map((r) => r.because)]));
  const before = new Set(me.shown);
  me.shown = answer.items.map((entry) => entry.item);
  $("list").replaceChildren(...answer.items.map((entry) => {
    const isNew = before.size > 0 && !before.has(entry.item);
    return element("li", { class: isNew ? "new" : "" },
      element("strong", {}, fullTitle(entry.item)),
      element("span", { class: "badge" }, isNew ? "new" : ""),
      element("span", { class: "why" }, whyOf(entry)));
  }));
  $("rated").replaceChildren(...Object.entries(me.ratings).reverse().map(([item, value]) =>
    element("li", {}, `${titleOf(item)} ${value}`)));
}

async function rate(item, value) {
  me.ratings[item] = value;
  remember();
  showFilms();
  $("films").querySelector(`[data-item="${CSS.escape(item)}"] button:nth-child(${value / 2})`)?.focus();
  const started = performance.now();
  const written = await post("/events", { user: me.user, item, type: "rating", value });
  if (!written.ok) {
    $("took").textContent = (await written.json()).detail;
    return;
  }
  const place = (await written.json()).events[0];
  const url = `/users/${encodeURIComponent(me.user)}/recommendations?n=10&wait_for=${place.partition}:${place.offset}`;
  const answer = await get(url);
  const took = performance.now() - started;
  $("took").textContent = answer.reflects ? `new list in ${took.toFixed(0)} ms` : "the list is on its way";
  await showList(answer);
}

async function startTry() {
  await describe(Object.keys(me.ratings));
  await search();
  await showList(await get(`/users/${encodeURIComponent(me.user)}/recommendations?n=10`));
}

// Now

const points = [];
const number = (value, digits = 0) => value == null ? "–" : value.toLocaleString("en", { maximumFractionDigits: digits });
const percent = (value) => value == null ? "–" : `${(100 * value).toFixed(1)} %`;
const TILES = [
  ["Events in", (p) => `${number(p.events_per_s)}/s`, (p) => `${number(p.events)} since the start`, ["events_per_s"]],
  ["Lists out", (p) => `${number(p.lists_per_s)}/s`, (p) => `${number(p.lists)} since the start`, ["lists_per_s"]],
  ["Event to list", (p) => `${number(p.p50_ms, 1)} ms`, (p) => `p99 ${number(p.p99_ms, 1)} ms`, ["p50_ms", "p99_ms"]],
  ["Lag", (p) => number(p.lag), () => "events not committed by the workers", ["lag"]],
  ["Hit rate of the lists", (p) => percent(p.hit_rate), (p) => `plain popularity ${percent(p.popular_hit_rate)}, of ${number(p.scored)} events`, ["hit_rate", "popular_hit_rate"]],
];

function sparkline(fields) {
  const values = points.flatMap((point) => fields.map((field) => point[field] ?? 0));
  const top = Math.max(...values, 1e-9);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 900 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  fields.forEach((field, which) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    const from = 900 - points.length;
    line.setAttribute("class", which ? "spark second" : "spark");
    line.setAttribute("points", points.map((p, x) => `${from + x},${97 - 92 * (p[field] ?? 0) / top}`).join(" "));
    svg.append(line);
  });
  return svg;
}

function showNow() {
  const last = points.at(-1);
  if (!last || $("part-now").hidden) return;
  $("tiles").replaceChildren(...TILES.map(([name, value, detail, fields]) =>
    element("section", { class: "tile" }, element("h2", {}, name), element("p", {}, value(last)),
      element("small", {}, detail(last)), sparkline(fields))));
  const dead = Object.entries(last.dead);
  $("dead").replaceChildren(...(dead.length ? dead.map(([code, n]) =>
    element("li", {}, element("code", {}, code), element("span", {}, number(n)))) : [element("li", {}, "none since the start")]));
  $("drift").textContent = last.drifts.length
    ? `The hit rate changed at ${last.drifts.map((s) => new Date(1000 * s).toLocaleTimeString()).join(", ")} (ADWIN).`
    : "The hit rate has not changed in a way that chance does not explain (ADWIN).";
}

async function live() {
  for (;;) {
    try {
      await follow("/live/stream", (kind, data) => {
        $("link").textContent = "live";
        $("link").className = "live";
        if (kind === "about") $("app").textContent = data.app_id === "stream-rec" ? "" : data.app_id;
        else if (kind === "history") points.splice(0, points.length, ...data);
        else points.push(data);
        if (points.length > 900) points.shift();
        showNow();
      });
    } catch { /* the service is away; the state line says so */ }
    $("link").textContent = "no connection, trying again";
    $("link").className = "";
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

// Look into

const panel = (title, ...children) => element("section", { class: "panel" }, element("h2", {}, title), ...children);
const table = (name, heads, rows) => element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name },
  element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell)))))));
const itemLink = (id) => element("button", { type: "button", class: "linkish", onclick: () => lookIntoItem(id) }, fullTitle(id));
const part = (source) => source.part ? element("span", { class: source.part > 0 ? "up" : "down" }, `${source.part > 0 ? "+" : ""}${source.part.toFixed(2)}`) : "·";

async function lookIntoUser(user) {
  const path = encodeURIComponent(user);
  const [about, list, explanation] = await Promise.all(
    [get(`/users/${path}`), get(`/users/${path}/recommendations`), get(`/live/explanation/${path}`)]);
  const items = [...list.items, ...(explanation ?? [])];
  await describe([...items.map((e) => e.item), ...items.map((e) => e.reasons[0]?.because), ...(about?.history ?? []).map((h) => h.item)]);
  const parts = [panel(about ? `List of ${user}` : `Nothing is known of ${user} yet: what is trending`,
    table("List", ["", "Item", "Score", "Why"], list.items.map((entry, x) => [`${x + 1}`, itemLink(entry.item), number(entry.score, 2), whyOf(entry)])))];
  if (explanation?.length) {
    const names = Object.keys(explanation[0].sources);
    parts.push(panel("What each source adds to the score", element("p", {}, "How much the score falls when the source is silent; · says nothing."),
      table("Sources", ["Item", ...names.map((n) => n.replaceAll("_", " "))],
        explanation.map((entry) => [itemLink(entry.item), ...names.map((n) => part(entry.sources[n]))]))));
  }
  if (about) parts.push(panel(`History: ${about.n_distinct} different items`,
    table("History", ["When", "Item"], about.history.map((h) => [new Date(1000 * h.ts).toLocaleString(), itemLink(h.item)]))));
  $("found").replaceChildren(...parts);
}

async function lookIntoItem(words) {
  let item = words;
  let about = await get(`/items/${encodeURIComponent(item)}`);
  if (!about) {
    item = (await get(`/live/search?q=${encodeURIComponent(words)}`))[0]?.item;
    about = item && await get(`/items/${encodeURIComponent(item)}`);
  }
  if (!about) {
    $("found").replaceChildren(panel(`Nobody has had ${words} yet`));
    return;
  }
  const path = encodeURIComponent(item);
  const [similar, next] = await Promise.all([get(`/items/${path}/similar`), get(`/items/${path}/next`)]);
  await describe([item, ...similar.items.map((e) => e.item), ...next.items.map((e) => e.item)]);
  const rows = (page) => page.items.map((entry) => [itemLink(entry.item), number(entry.score, 3)]);
  $("found").replaceChildren(
    panel(fullTitle(item), element("p", {}, `Taken ${number(about.taken)} times, last ${new Date(1000 * about.last_s).toLocaleString()}`),
      table("Trend", ["Half-life", "Decayed count"], Object.entries(about.popular).map(([name, value]) => [name.replace("popular_", ""), number(value, 2)]))),
    panel("Taken together with", table("Neighbours", ["Item", "Cosine"], rows(similar))),
    panel("What follows", table("What follows", ["Item", "Share"], rows(next))));
}

// Parts

const started = new Set();
function show() {
  const wanted = ["try", "now", "look"].find((name) => location.hash === `#${name}`) ?? "try";
  for (const link of document.querySelectorAll("nav a")) {
    const isIt = link.dataset.part === wanted;
    isIt ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    $(`part-${link.dataset.part}`).hidden = !isIt;
  }
  if (wanted === "try" && !started.has("try")) startTry();
  started.add(wanted);
  showNow();
}

$("search").addEventListener("input", search);
$("search-form").addEventListener("submit", (event) => event.preventDefault());
$("user-form").addEventListener("submit", (event) => { event.preventDefault(); lookIntoUser($("user").value.trim()); });
$("item-form").addEventListener("submit", (event) => { event.preventDefault(); lookIntoItem($("item").value.trim()); });
$("anew").addEventListener("click", () => {
  Object.assign(me, { user: newUser(), ratings: {}, shown: [] });
  remember();
  $("took").textContent = "";
  startTry();
});
addEventListener("hashchange", show);
remember();
show();
live();
