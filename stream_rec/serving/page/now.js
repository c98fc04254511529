// Now: the stream's figures, and the last 15 minutes of each.

import { $, drawn, element, number, percent } from "./elements.js";

const HISTORY_S = 900;
const SPAN_S_MIN = 60;
const SCORED_MIN = 20;
const points = [];

const scored = (field) => (point) => point.scored >= SCORED_MIN ? point[field] : null;
const latest = (field) => points.findLast((point) => point[field] != null)?.[field];
const ms = (value) => `${number(value, value < 10 ? 1 : 0)} ms`;

const TILES = [
  { name: "Hit rate of the lists", wide: true, format: percent, marks: (p) => p.drifts,
    value: (p) => percent(p.hit_rate), lines: [["served lists", scored("hit_rate")], ["plain popularity", scored("popular_hit_rate")]],
    detail: (p) => `plain popularity ${percent(p.popular_hit_rate)}; of ${number(p.scored)} next things that people did` },
  { name: "Events in", format: (v) => `${number(v)}/s`, value: (p) => `${number(p.events_per_s)}/s`,
    detail: (p) => `${number(p.events)} since the start`, lines: [["", (p) => p.events_per_s]] },
  { name: "Lists out", format: (v) => `${number(v)}/s`, value: (p) => `${number(p.lists_per_s)}/s`,
    detail: (p) => `${number(p.lists)} since the start`, lines: [["", (p) => p.lists_per_s]] },
  { name: "From event to list", format: ms, value: () => ms(latest("p50_ms")),
    detail: () => `half of them; 99 % within ${ms(latest("p99_ms"))}`, lines: [["p50", (p) => p.p50_ms], ["p99", (p) => p.p99_ms]] },
  { name: "Consumer lag", format: (v) => number(v), value: (p) => number(p.lag),
    detail: () => "events that the workers have not committed", lines: [["", (p) => p.lag]] },
];

// Pieces of a line, broken where there was nothing to measure.
function piecesOf(valueOf, x, y) {
  const pieces = [[]];
  for (const point of points) {
    const value = valueOf(point);
    if (value != null) pieces.at(-1).push(`${x(point.at_s)},${y(value)}`);
    else if (pieces.at(-1).length) pieces.push([]);
  }
  return pieces.filter((piece) => piece.length);
}

function chart({ name, lines, format, marks }) {
  const now_s = points.at(-1).at_s;
  const span_s = Math.min(HISTORY_S, Math.max(SPAN_S_MIN, now_s - points[0].at_s));
  const values = lines.flatMap(([, valueOf]) => points.map(valueOf)).filter((value) => value != null);
  const top = Math.max(...values, 0);
  const x = (at_s) => (900 * (1 - (now_s - at_s) / span_s)).toFixed(1);
  const y = (value) => (96 - 88 * value / (top || 1)).toFixed(1);
  const drifts = (marks?.(points.at(-1)) ?? []).filter((at_s) => now_s - at_s < span_s);
  const shapes = lines.flatMap(([, valueOf], which) => piecesOf(valueOf, x, y).flatMap((piece) => {
    const [first, last] = [piece[0].split(",")[0], piece.at(-1).split(",")[0]];
    const area = drawn("polygon", { class: "area", points: `${first},100 ${piece.join(" ")} ${last},100` });
    const line = drawn("polyline", { class: which ? "line second" : "line", points: piece.join(" ") });
    return which ? [line] : [area, line];
  }));
  const said = values.length ? `between ${format(Math.min(...values))} and ${format(top)}` : "nothing yet";
  return element("figure", {},
    drawn("svg", { viewBox: "0 0 900 100", preserveAspectRatio: "none", role: "img",
      "aria-label": `${name}, the last ${Math.round(span_s / 60)} min: ${said}${drifts.length ? `; ${drifts.length} drift marks` : ""}` },
      ...shapes, ...drifts.map((at_s) => drawn("line", { class: "mark", x1: x(at_s), x2: x(at_s), y1: 0, y2: 100 }))),
    element("figcaption", {}, element("span", {}, `${Math.round(span_s / 60)} min ago`),
      ...(lines.length > 1 ? lines.map(([label], which) => element("span", { class: which ? "key second" : "key" }, label)) : []),
      ...(drifts.length ? [element("span", { class: "key mark" }, "drift")] : []),
      element("span", {}, values.length ? `up to ${format(top)}` : "")));
}

function showTiles(last) {
  $("tiles").replaceChildren(...TILES.map((tile) => element("section", { class: tile.wide ? "tile wide" : "tile" },
    element("h2", {}, tile.name), element("p", { class: "figure" }, tile.value(last)),
    element("p", { class: "detail" }, tile.detail(last)), chart(tile))));
}

function showDead(last) {
  const codes = Object.entries(last.dead).sort(([, a], [, b]) => b - a);
  const total = codes.reduce((sum, [, n]) => sum + n, 0);
  $("dead-total").textContent = number(total);
  $("dead").replaceChildren(...codes.map(([code, n]) => element("div", {}, element("dt", {}, element("code", {}, code)), element("dd", {}, number(n)))));
  $("dead-none").hidden = total > 0;
}

function showDrift(last) {
  const marks = last.drifts.slice(-8).reverse();
  $("drift-total").textContent = number(last.drifts.length);
  $("drift").replaceChildren(...marks.map((at_s) => {
    const then = points.findLast((point) => point.at_s <= at_s);
    return element("li", {}, element("span", {}, new Date(1000 * at_s).toLocaleTimeString()),
      element("span", {}, then ? `at a hit rate of ${percent(then.hit_rate)}` : ""));
  }));
  $("drift-none").hidden = marks.length > 0;
}

export function showNow() {
  if (!points.length || $("part-now").hidden) return;
  const last = points.at(-1);
  showTiles(last);
  showDead(last);
  showDrift(last);
}

export function takePoints(more, anew = false) {
  if (anew) points.length = 0;
  points.push(...more);
  points.splice(0, points.length - HISTORY_S);
  showNow();
}
