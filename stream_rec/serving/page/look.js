// Look into: any user and any item.

import { $, element, moment, number } from "./elements.js";
import { get } from "./requests.js";
import { countPairs, describe, detailsOf, fullTitle, learn, poster, sourceName, titleOf, whyOf } from "./titles.js";
import { me, tellOfMine } from "./try.js";

const COMMIT_MS = 1000;
const userPath = (user) => `#look/user/${encodeURIComponent(user)}`;
const itemPath = (item) => `#look/item/${encodeURIComponent(item)}`;
const itemLink = (item) => element("a", { href: itemPath(item) }, fullTitle(item));
const panel = (title, ...children) => element("section", { class: "panel" }, element("h2", {}, title), ...children);
const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

function bar(share, kind) {
  const inside = element("span", { class: kind });
  inside.style.setProperty("--share", Math.min(1, Math.max(0, share)).toFixed(3));
  return element("span", { class: "bar", "aria-hidden": "true" }, inside);
}

// A user

function sourceRows(sources) {
  const heard = Object.entries(sources).filter(([, { says, part }]) => says != null || Math.abs(part) >= .005);
  heard.sort(([, a], [, b]) => Math.abs(b.part) - Math.abs(a.part));
  const top = Math.max(...heard.map(([, { part }]) => Math.abs(part)), 1e-9);
  return heard.map(([name, { says, part }]) => element("tr", {},
    element("th", { scope: "row" }, sourceName(name)),
    element("td", { class: "says" }, says == null ? "silent" : signed(says)),
    element("td", { class: part < 0 ? "part down" : "part up" }, element("span", { class: "n" }, signed(part)), bar(Math.abs(part) / top, part < 0 ? "down" : "up"))));
}

function sourceTable(explained) {
  const head = ["Source", "Says", "Adds to the score"].map((name) => element("th", { scope: "col" }, name));
  return element("table", {}, element("caption", { class: "unseen" }, `Sources of ${titleOf(explained.item)}`),
    element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...sourceRows(explained.sources)));
}

const tellOf = (user) => user === me.user ? tellOfMine : (item) => ["they had ", element("b", {}, titleOf(item))];

function entryDetails(entry, x, explained, pairs, user) {
  return element("details", { open: x === 0 && explained },
    element("summary", {}, element("span", { class: "thumb" }, poster(entry.item)),
      element("span", { class: "what" }, element("strong", {}, `${x + 1}. ${fullTitle(entry.item)}`),
        element("span", { class: "why" }, ...whyOf(entry, pairs, tellOf(user)))),
      element("span", { class: "score" }, entry.score.toFixed(2))),
    ...(explained ? [sourceTable(explained)] : []),
    element("p", {}, element("a", { href: itemPath(entry.item) }, `Look into ${titleOf(entry.item)}`)));
}

async function lookIntoUser(user) {
  $("user").value = user;
  const path = encodeURIComponent(user);
  const [about, list] = await Promise.all([get(`/live/user/${path}`), get(`/users/${path}/recommendations?n=10`)]);
  const history = about?.history ?? [];
  const [pairs] = await Promise.all([countPairs(list.items),
    describe([...list.items.flatMap((entry) => [entry.item, entry.reasons[0]?.because]), ...history.map(({ item }) => item)])]);
  const explained = new Map((about?.explained ?? []).map((entry) => [entry.item, entry]));
  const listed = list.items.map((entry, x) => entryDetails(entry, x, explained.get(entry.item), pairs, user));
  if (!about && list.kind === "personal") {
    setTimeout(lookAgain, COMMIT_MS, turn);
    return [panel(`The list of ${user}`, element("p", { class: "hint" }, "Just made; history and sources follow with the worker's next commit."), ...listed)];
  }
  if (!about) return [panel(`Nothing is known of ${user} yet`, element("p", { class: "hint" }, "Somebody new gets what is trending:"), ...listed)];
  return [
    panel(`The list of ${user}`, element("p", { class: "hint" },
      "Open a title: what each source says for it, on a logarithmic scale, and what the ranker makes of that: how far the score would fall without the source."), ...listed),
    panel("History", element("p", { class: "hint" }, about.n_distinct === 1 ? "One title" : `${number(about.n_distinct)} titles, the latest first`),
      element("ol", { class: "rows" }, ...history.map(({ item, ts }) => element("li", {}, itemLink(item), element("time", { datetime: new Date(1000 * ts).toISOString() }, moment(ts)))))),
  ];
}

// An item

const DAY_S = 86_400;
const UNITS_S = { s: 1, min: 60, h: 3_600, d: DAY_S };
const halfLifeOf = (name) => { const [, n, unit] = name.match(/^popular_([\d.]+)(\w+)$/); return n * UNITS_S[unit]; };

// A count that decays by half-life h stands for value · ln 2 / h events a second.
function trendRows(popular) {
  const rows = Object.entries(popular).map(([name, value]) => ({ window: name.replace("popular_", ""), value, per_day: value * Math.LN2 / halfLifeOf(name) * DAY_S }));
  const top = Math.max(...rows.map((row) => row.per_day), 1e-9);
  return rows.map((row) => element("tr", {}, element("th", { scope: "row" }, row.window), element("td", {}, number(row.value, 2)),
    element("td", { class: "part" }, element("span", { class: "n" }, number(row.per_day, 1)), bar(row.per_day / top, "up"))));
}

function related(entries) {
  const top = Math.max(...entries.map((entry) => entry.score), 1e-9);
  if (!entries.length) return element("p", { class: "hint" }, "Nothing yet.");
  return element("ol", { class: "rows" }, ...entries.map((entry) => element("li", {}, itemLink(entry.item),
    element("span", { class: "part" }, entry.score.toFixed(3), bar(entry.score / top, "up")))));
}

async function findItem(words) {
  const about = await get(`/live/item/${encodeURIComponent(words)}`);
  if (about) return [about, []];
  const found = await get(`/live/search?q=${encodeURIComponent(words)}`);
  learn(found);
  const first = found.find(({ taken }) => taken > 0);
  return first ? [await get(`/live/item/${encodeURIComponent(first.item)}`), found.filter((each) => each !== first && each.taken > 0)] : [null, found];
}

async function lookIntoItem(words) {
  const [about, others] = await findItem(words);
  if (!about) return [panel(`Nobody has had ${others.length === 1 ? fullTitle(others[0].item) : `“${words}”`} yet`)];
  await describe([about.item, ...about.similar.map(({ item }) => item), ...about.next.map(({ item }) => item)]);
  $("item").value = titleOf(about.item);
  const head = ["Half-life", "Decayed count", "That is, a day"].map((name) => element("th", { scope: "col" }, name));
  return [
    element("section", { class: "panel item" }, element("span", { class: "thumb large" }, poster(about.item)),
      element("div", {}, element("h2", {}, fullTitle(about.item)), element("p", { class: "hint" }, detailsOf(about.item)),
        element("p", {}, `Taken ${number(about.taken)} times, last on ${moment(about.last_s)}`),
        ...(others.length ? [element("p", { class: "hint" }, "Or did you mean ", ...others.slice(0, 3).flatMap(({ item }, x) => [x ? ", " : "", itemLink(item)]), "?")] : []))),
    panel("Trend", element("table", {}, element("caption", { class: "unseen" }, "Trend"), element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...trendRows(about.popular)))),
    panel("Taken together with", element("p", { class: "hint" }, "cosine of being taken near each other"), related(about.similar)),
    panel("What follows", element("p", { class: "hint" }, "how often it came soon after, by 1/distance"), related(about.next)),
  ];
}

// What to begin with

const chips = (links) => element("ul", { class: "chips" }, ...links.map((link) => element("li", {}, link)));
async function suggest() {
  const nobody = () => []; // a key that may not know who is there
  const [users, items] = await Promise.all([get("/live/users").catch(nobody), get("/live/search?q=")]);
  learn(items);
  const others = users.filter((user) => user !== me.user).map((user) => element("a", { href: userPath(user) }, user));
  return [panel("Users of this moment", chips([element("a", { href: userPath(me.user) }, "you"), ...others])),
    panel("Popular titles", chips(items.slice(0, 8).map(({ item }) => itemLink(item))))];
}

let turn = 0;
let shown = [];
const lookAgain = (then) => { if (then === turn) look(...shown); };
export async function look(kind, what) {
  const mine = ++turn;
  shown = [kind, what];
  const found = await (kind === "user" ? lookIntoUser(what) : kind === "item" ? lookIntoItem(what) : suggest())
    .catch((error) => [panel(error.message)]);
  if (mine !== turn) return;
  $("found").className = kind ?? "suggestions";
  $("found").replaceChildren(...found);
  $("look-says").textContent = kind ? `${kind} ${what}: shown below` : "";
}

export function startLook() {
  for (const [kind, path] of [["user", userPath], ["item", itemPath]]) {
    $(`${kind}-form`).addEventListener("submit", (event) => {
      event.preventDefault();
      const what = $(kind).value.trim();
      if (!what) return;
      if (location.hash === path(what)) look(kind, what);
      else location.hash = path(what);
    });
  }
}
