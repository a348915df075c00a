// Tabler's style sheet without the classes that no page uses: it is nine tenths of the sheet, and nothing is painted
// before all of it is read.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import postcss from "postcss";

const FILE = "@tabler/core/dist/css/tabler.css";
const CLASS = /\.(-?[A-Za-z_][\w-]*)/g;

/** The sheet as it comes. */
export const sheet = () => readFileSync(join(import.meta.dirname, "node_modules", FILE), "utf8");

/** The classes that a selector names; what it excludes (`:not`) or offers as alternatives (`:is`) does not count. */
function named(selector) {
  const plain = selector.replace(/:(not|is|where|has)\((?:[^()]|\([^()]*\))*\)/g, "");
  return [...plain.matchAll(CLASS)].map((found) => found[1]);
}

/** Every class of a sheet. */
export function classesOf(text) {
  const found = new Set();
  postcss.parse(text).walkRules((rule) => {
    for (const [, name] of rule.selector.matchAll(CLASS)) found.add(name);
  });
  return found;
}

/** The sheet with only the rules whose classes are all in `used`, and without the variables that nothing reads then. */
export function only(text, used) {
  const root = postcss.parse(text);
  root.walkRules((rule) => {
    if (rule.parent.type === "atrule" && /keyframes$/.test(rule.parent.name)) return;
    const kept = rule.selectors.filter((selector) => named(selector).every((name) => used.has(name)));
    if (!kept.length) rule.remove();
    else if (kept.length < rule.selectors.length) rule.selectors = kept;
  });
  root.walkAtRules((rule) => {
    if (rule.nodes?.length === 0) rule.remove();
  });
  return root.toString();
}

/** Vite: read Tabler's sheet that way. */
export function tabler() {
  return {
    name: "tabler",
    enforce: "pre",
    transform(code, id) {
      if (!id.split("?")[0].endsWith(FILE)) return null;
      const used = new Set(JSON.parse(readFileSync(join(import.meta.dirname, "classes.json"), "utf8")));
      return { code: only(code, used), map: null };
    },
  };
}
