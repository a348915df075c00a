import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";
import { compress } from "./compress.js";
import { tabler } from "./tabler.js";

const out = join(import.meta.dirname, "../src/shoufu/web/static/built");
const islands = ["shell", "desk", "feed", "overview", "rehearse", "zones", "profile", "recording", "resident", "timemachine", "movement", "officer", "readings", "nurse", "board"];

/** One SVG sprite with the icons that `icons.json` names; pages use them by `#name`. */
function sprite() {
  return {
    name: "sprite",
    closeBundle() {
      const names = JSON.parse(readFileSync(join(import.meta.dirname, "icons.json"), "utf8"));
      const symbols = names.map((name) => {
        const file = join(import.meta.dirname, `node_modules/@tabler/icons/icons/outline/${name}.svg`);
        const inner = readFileSync(file, "utf8").replace(/<!--[\s\S]*?-->/g, "").match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1];
        return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s*\n\s*/g, "")}</symbol>`;
      });
      const text = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
      const file = `assets/icons-${createHash("sha256").update(text).digest("hex").slice(0, 8)}.svg`;
      mkdirSync(join(out, "assets"), { recursive: true });
      writeFileSync(join(out, file), text);
      writeFileSync(join(out, "icons.json"), JSON.stringify({ file, names }));
      compress(join(out, "assets"));
    },
  };
}

export default defineConfig({
  base: "/static/built/",
  publicDir: false,
  plugins: [tabler(), sprite()],
  build: {
    outDir: out,
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    chunkSizeWarningLimit: 1500,
    rollupOptions: { input: islands.map((name) => join(import.meta.dirname, `src/${name}.ts`)) },
  },
});
