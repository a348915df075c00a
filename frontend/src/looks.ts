/** Live pictures: every `img[data-live]` that can be seen is fetched anew once a second, one request a camera at a time. */

const EVERY = 1000;
const PATIENCE = 15;
const busy = new Set<string>();
const failures = new Map<string, number>();

async function refresh(address: string): Promise<void> {
  if (busy.has(address)) return;
  busy.add(address);
  let url = "";
  try {
    // The browser asks whether it changed; an unchanged picture costs a few bytes.
    const answer = await fetch(address, { cache: "no-cache" });
    if (answer.ok) url = URL.createObjectURL(await answer.blob());
  } catch {
    // The server is away; the page says so elsewhere.
  }
  const bad = url ? 0 : (failures.get(address) ?? 0) + 1;
  failures.set(address, bad);
  // Looked up now: the page may have been swapped while the picture was on its way.
  for (const image of document.querySelectorAll<HTMLImageElement>(`img[data-live="${CSS.escape(address)}"]`)) {
    image.closest(".picture")?.classList.toggle("stale", bad > PATIENCE);
    if (url) await show(image, url);
  }
  if (url) URL.revokeObjectURL(url);
  busy.delete(address);
}

/** Decoded before it is shown, so that nothing flickers. */
async function show(image: HTMLImageElement, url: string): Promise<void> {
  const next = new Image();
  next.src = url;
  try {
    await next.decode();
  } catch {
    return;
  }
  image.src = url;
  await image.decode().catch(() => undefined);
}

function isSeen(image: HTMLImageElement): boolean {
  const box = image.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight;
}

function round(): void {
  if (document.hidden) return;
  const seen = [...document.querySelectorAll<HTMLImageElement>("img[data-live]")].filter(isSeen);
  const addresses = new Set(seen.map((image) => image.dataset.live ?? ""));
  let place = 0;
  // Spread over the second, so that a wall of cameras is no burst.
  for (const address of addresses) setTimeout(() => void refresh(address), (place++ * EVERY) / Math.max(addresses.size, 1) / 2);
}

/** Begin, where the page has live pictures. */
export function watchLive(): void {
  if (!document.querySelector("img[data-live]")) return;
  round();
  setInterval(round, EVERY);
}
