// A file of the same name with .gz and .br beside every built text: the page server gives these to who takes them.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TEXT = /\.(js|mjs|css|svg|json)$/;
const SMALLEST = 1024;

/** Compress every text of a folder. */
export function compress(folder) {
  for (const name of readdirSync(folder)) {
    if (!TEXT.test(name)) continue;
    const text = readFileSync(join(folder, name));
    if (text.length < SMALLEST) continue;
    writeFileSync(join(folder, `${name}.gz`), gzipSync(text, { level: 9 }));
    const parameters = { [constants.BROTLI_PARAM_SIZE_HINT]: text.length, [constants.BROTLI_PARAM_QUALITY]: 10 };
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(text, { params: parameters }));
  }
}
