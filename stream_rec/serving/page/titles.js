// Titles of items, posters drawn for them, and reasons in words.

import { drawn, element, number } from "./elements.js";
import { get } from "./requests.js";

export const known = new Map();
export const learn = (items) => items.forEach((item) => known.set(item.item, item));

export async function describe(ids) {
  const missing = [...new Set(ids)].filter((id) => id && !known.has(id));
  if (missing.length) learn(Object.values(await get(`/live/items?ids=${encodeURIComponent(missing.join("\t"))}`)));
}

export const titleOf = (id) => known.get(id)?.title ?? id;
const yearOf = (id) => known.get(id)?.year;
export const fullTitle = (id) => yearOf(id) ? `${titleOf(id)} (${yearOf(id)})` : titleOf(id);
export const genresOf = (id) => (known.get(id)?.genres ?? "").split("|").filter(Boolean);
export const detailsOf = (id) => [yearOf(id), genresOf(id).slice(0, 2).join(", ")].filter(Boolean).join(" · ");

// How many others had both an entry and the item that led to it, by entry.
export async function countPairs(entries) {
  const led = entries.filter((entry) => entry.reasons[0]?.because);
  const ids = led.flatMap((entry) => [entry.reasons[0].because, entry.item]).join("\t");
  const counts = ids ? await get(`/live/pairs?ids=${encodeURIComponent(ids)}`) : [];
  return new Map(led.map((entry, x) => [entry.item, counts[x]]));
}

// Why an entry is in a list; `tellOf` says what the user did with an item: "you rated Alien 8".
export function whyOf(entry, pairs, tellOf) {
  const { source, because } = entry.reasons[0] ?? { source: "new" };
  if (because) {
    const both = pairs.get(entry.item);
    const others = both ? `; ${number(both)} ${both === 1 ? "other" : "others"} had both` : "";
    return ["because ", ...tellOf(because), others];
  }
  if (source === "new") return ["new here, and given a chance"];
  const taken = known.get(entry.item)?.taken ?? 0;
  return [`${sourceName(source)}; ${number(taken)} had it`];
}

export function sourceName(source) {
  const window = source.match(/^popular_(.+)$/)?.[1];
  return window ? `popular of late (${window})` : source === "popular" ? "popular of all time" : source.replaceAll("_", " ");
}

// Posters: a scene for the genre, in a hue and with places drawn from the title.

const GENRES = {
  "Sci-Fi": [225, "planet"], Horror: [350, "moon"], Thriller: [200, "rings"], Crime: [185, "city"],
  Romance: [330, "pair"], Comedy: [28, "confetti"], Action: [12, "rays"], Adventure: [160, "ridges"],
  Animation: [280, "confetti"], Family: [95, "ridges"], Fantasy: [265, "moon"], Mystery: [245, "rings"],
  War: [45, "rays"], Western: [20, "ridges"], Music: [300, "rings"], Musical: [300, "pair"],
  Biography: [205, "waves"], History: [38, "ridges"], Documentary: [190, "waves"], Drama: [250, "waves"],
};


function drawsOf(text) {
  let state = [...text].reduce((sum, letter) => Math.imul(sum, 31) + letter.codePointAt(0) | 0, 7);
  return (low, high) => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return low + (high - low) * ((state ^ state >>> 13) >>> 0) / 2 ** 32;
  };
}

const disc = (cx, cy, r, opacity) => drawn("circle", { cx, cy, r, "fill-opacity": opacity });
const line = (d, width, opacity) => drawn("path", { d, fill: "none", stroke: "currentColor", "stroke-width": width, "stroke-opacity": opacity });
const hills = (draw, y, opacity) => drawn("path", { "fill-opacity": opacity,
  d: `M0 ${y}${[20, 40, 60, 80, 100, 120].map((x) => `L${x} ${y - draw(-14, 26)}`).join("")}V160H0Z` });
const many = (n, make) => Array.from({ length: n }, (_, x) => make(x));

const SCENES = {
  planet: (draw) => [...many(22, () => disc(draw(0, 120), draw(0, 90), draw(.4, 1.3), .9)),
    disc(draw(35, 85), draw(45, 65), draw(20, 28), .55), line(`M${draw(0, 15)} ${draw(60, 75)}Q60 ${draw(30, 60)} 115 ${draw(25, 50)}`, 2.5, .8)],
  moon: (draw) => [disc(draw(30, 90), draw(30, 50), draw(13, 20), .8), hills(draw, 92, .18), hills(draw, 112, .3)],
  rings: (draw) => many(6, (x) => drawn("circle", { cx: 60 + draw(-6, 6), cy: 56 + draw(-6, 6), r: 7 + 9 * x, fill: "none", stroke: "currentColor", "stroke-width": draw(1, 5), "stroke-opacity": .5 })),
  city: (draw) => many(9, (x) => drawn("rect", { x: 14 * x - 3, y: draw(30, 85), width: 12, height: 130, "fill-opacity": draw(.18, .5) })),
  pair: (draw) => [disc(47, draw(45, 60), draw(22, 28), .45), disc(75, draw(45, 60), draw(22, 28), .45)],
  confetti: (draw) => many(18, () => disc(draw(0, 120), draw(0, 105), draw(3, 12), draw(.2, .6))),
  rays: (draw) => many(9, (x) => line(`M60 ${draw(70, 78)}L${-40 + 25 * x} -20`, draw(3, 9), .3)),
  ridges: (draw) => [disc(draw(25, 95), draw(30, 50), 12, .75), hills(draw, 72, .2), hills(draw, 90, .3), hills(draw, 110, .4)],
  waves: (draw) => many(7, (x) => { const y = 22 + 14 * x, bend = draw(-14, 14); return line(`M-5 ${y}C35 ${y - bend} 85 ${y + bend} 125 ${y}`, draw(1.5, 5), .5); }),
};

export function poster(id) {
  const draw = drawsOf(titleOf(id));
  const genre = Object.keys(GENRES).find((name) => genresOf(id).includes(name));
  const [hue, scene] = GENRES[genre] ?? [draw(0, 360), "rings"];
  const art = element("span", { class: "art", "aria-hidden": "true" },
    drawn("svg", { viewBox: "0 0 120 160", preserveAspectRatio: "xMidYMid slice", fill: "currentColor" }, ...SCENES[scene](draw)));
  art.style.setProperty("--hue", Math.round(hue + draw(-24, 24)));
  return art;
}
