// Writes classes.json: every class of Tabler's style sheet that a template, page, scene or island may name. All others
// are left out of the built sheet (`tabler.js`). Run after using a new class of Tabler: npm run classes
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sheet, classesOf } from "./tabler.js";

const home = import.meta.dirname;
const words = new Set();
for (const [folder, kinds] of [["../src/shoufu", /\.(html|py)$/], ["src", /\.ts$/]]) {
  for (const entry of readdirSync(join(home, folder), { recursive: true })) {
    const file = String(entry);
    if (!kinds.test(file) || file.includes("static/")) continue;
    const text = readFileSync(join(home, folder, file), "utf8");
    // Of programs only what stands in quotes: their other words are names of their own.
    const parts = file.endsWith(".html") ? [text] : [...text.matchAll(/(["'`])((?:(?!\1)[^\n])*)\1/g)].map((found) => found[2]);
    for (const part of parts) for (const [word] of part.matchAll(/-?[A-Za-z_][\w-]*/g)) words.add(word);
  }
}
const used = [...classesOf(sheet())].filter((name) => words.has(name)).sort();
writeFileSync(join(home, "classes.json"), `${JSON.stringify(used, null, 1)}\n`);
console.log(`${used.length} classes of Tabler`);
