import { onLive } from "./live";
import { block, clock, instant } from "./words";

interface Start {
  kinds: Record<string, string>;
  kind: string;
  device: string;
  live: boolean;
  fields: Record<string, string>;
  values: Record<string, string>;
  order: string[];
  unsaid: string[];
  names: string;
}
interface Observed {
  id: string;
  kind: string;
  t: string;
  device: string;
  result: Record<string, unknown>;
  foi?: string | null;
}

const start = block<Start>("feed-start");
const feed = document.getElementById("feed") as HTMLElement;
const KEEP = 300;
let held = false;
const waiting: Observed[] = [];

const order = new Map((start?.order ?? []).map((name, index) => [name, index]));

function said(value: unknown): string {
  if (typeof value === "object") return JSON.stringify(value);
  return start?.values[String(value)] ?? String(value);
}

function words(result: Record<string, unknown>): string {
  const place = (name: string): number => (order.has(name) ? (order.get(name) as number) : order.size);
  return Object.entries(result ?? {})
    .filter(([name]) => !start?.unsaid.includes(name))
    .sort(([one], [other]) => place(one) - place(other))
    .slice(0, 6)
    .map(([name, value]) => `${start?.fields[name] ?? name} ${said(value)}`)
    .join(" · ");
}

function line(seen: Observed): HTMLElement {
  const row = document.createElement("li");
  row.className = "feed-line fresh";
  row.id = `o-${seen.id}`;
  const time = document.createElement("time");
  time.dateTime = seen.t;
  time.textContent = clock(new Date(seen.t));
  const kind = document.createElement("span");
  kind.className = "kind";
  kind.textContent = start?.kinds[seen.kind] ?? seen.kind;
  const who = document.createElement("span");
  who.className = "who";
  who.dataset.device = seen.device;
  name(who);
  const what = document.createElement("span");
  what.className = "what";
  what.textContent = words(seen.result);
  row.append(time, kind, who, what);
  if (typeof seen.result?.snapshot === "string") {
    const picture = document.createElement("a");
    picture.href = `/media/${seen.result.snapshot}`;
    picture.innerHTML = document.getElementById("feed-picture")?.innerHTML ?? "";
    picture.setAttribute("aria-label", document.getElementById("feed-picture")?.dataset.label ?? "");
    row.append(picture);
  }
  return row;
}

// Devices say their code; their names are asked for once, many at a time.
const known = new Map<string, string>();
let asking = 0;

function name(who: HTMLElement): void {
  const code = who.dataset.device ?? "";
  const found = known.get(code);
  if (found) {
    who.innerHTML = found;
    return;
  }
  const link = document.createElement("a");
  link.href = `/devices/?text=${encodeURIComponent(code)}`;
  link.textContent = code;
  const where = document.createElement("small");
  // A line keeps its height when the names come: what is being read must not move.
  where.textContent = "\u00a0";
  who.replaceChildren(link, where);
  if (!known.has(code) && !asking) asking = window.setTimeout(() => void ask(), 60);
}

async function ask(): Promise<void> {
  const lines = [...feed.querySelectorAll<HTMLElement>("[data-device]")].filter((who) => !known.has(who.dataset.device ?? ""));
  const codes = [...new Set(lines.map((who) => who.dataset.device ?? ""))].slice(0, 200);
  const answer = await fetch(`${start?.names}?${new URLSearchParams(codes.map((code) => ["code", code]))}`, { headers: { Accept: "application/json" } });
  const found = answer.ok ? ((await answer.json()) as Record<string, string>) : {};
  for (const code of codes) known.set(code, found[code] ?? "");
  asking = 0;
  for (const who of lines) name(who);
}

// Many a second are put in together, once a frame; a held feed keeps what came for later.
let frame = 0;
function flush(): void {
  frame = 0;
  if (held) return;
  feed.querySelector(".empty")?.remove();
  const fresh = waiting.splice(0).slice(-KEEP);
  const top = document.createDocumentFragment();
  for (const seen of fresh.reverse()) if (!document.getElementById(`o-${seen.id}`)) top.append(line(seen));
  feed.prepend(top);
  const lines = feed.querySelectorAll(".feed-line");
  for (let index = KEEP; index < lines.length; index += 1) lines[index].remove();
}

const first = !new URL(location.href).searchParams.has("before");
if (start?.live && first) {
  onLive("observation", (event) => {
    const seen = event as unknown as Observed;
    if ((start.kind && seen.kind !== start.kind) || (start.device && seen.device !== start.device)) return;
    waiting.push(seen);
    if (waiting.length > 2000) waiting.splice(0, 1000);
    if (!frame) frame = requestAnimationFrame(flush);
  });
}
const hold = document.querySelector<HTMLButtonElement>("[data-hold]");
hold?.addEventListener("click", () => {
  held = !held;
  hold.setAttribute("aria-pressed", String(held));
  if (!held) flush();
});
document.querySelector<HTMLInputElement>("[data-then]")?.addEventListener("change", (event) => {
  const value = (event.target as HTMLInputElement).value;
  const url = new URL(location.href);
  url.searchParams.delete("before");
  if (value) url.searchParams.set("at", instant(value).toISOString());
  else url.searchParams.delete("at");
  location.href = url.href;
});
