// Writes icons.json: every Tabler icon that a template, page or scene names. Run after using a new icon: npm run icons
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const home = import.meta.dirname;
const exists = (name) => existsSync(join(home, `node_modules/@tabler/icons/icons/outline/${name}.svg`));
const found = new Set(["point"]);
for (const entry of readdirSync(join(home, "../src/shoufu"), { recursive: true })) {
  const file = String(entry);
  if (!/\.(html|py)$/.test(file) || file.includes("static/")) continue;
  const text = readFileSync(join(home, "../src/shoufu", file), "utf8");
  if (file.endsWith(".html")) {
    for (const [, name] of text.matchAll(/icon="?\s*"([a-z0-9-]+)"/g)) found.add(name);
    for (const [, name] of text.matchAll(/\{% icon "([a-z0-9-]+)"/g)) found.add(name);
  } else if (/icon|scene\.py|kinds\.py|context\.py/i.test(text.slice(0, 0) + file) || /\bicon/i.test(text)) {
    for (const [, name] of text.matchAll(/"([a-z][a-z0-9-]{0,40})"/g)) if (exists(name)) found.add(name);
  }
}
for (const entry of readdirSync(join(home, "src"), { recursive: true })) {
  const file = String(entry);
  if (!file.endsWith(".ts")) continue;
  const text = readFileSync(join(home, "src", file), "utf8");
  for (const [, name] of text.matchAll(/icon\("([a-z0-9-]+)"/g)) found.add(name);
}
const missing = [...found].filter((name) => !exists(name));
if (missing.length) throw new Error(`no such Tabler icon: ${missing.join(", ")}`);
writeFileSync(join(home, "icons.json"), `${JSON.stringify([...found].sort(), null, 1)}\n`);
console.log(`${found.size} icons`);
