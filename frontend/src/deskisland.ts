import htmx from "htmx.org";
import { onLive } from "./live";
import { LaterMap } from "./latermap";
import type { MapData } from "./map";
import { Replay } from "./replay";
import { Timebar } from "./timebar";
import { clock, word } from "./words";

const desk = document.querySelector(".desk") as HTMLElement;
const home = document.getElementById("map") as HTMLElement;
const bar = document.getElementById("timebar") as HTMLElement;
const panel = document.getElementById("case") as HTMLElement;
const shell = document.querySelector(".shell") as HTMLElement;
const scope = document.body.dataset.place ?? "";
const withPlace = (url: string): string => (scope ? `${url}${url.includes("?") ? "&" : "?"}place=${scope}` : url);

let moment: number | null = bar.dataset.at ? Date.parse(bar.dataset.at) / 1000 : null;
let liveData: MapData | null = null;
const replay = new Replay(home.dataset.chunk ?? "", scope);
const map = new LaterMap(home, (id) => select(id));

const rows = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(".queue-row")];
const chosen = (): number | null => Number(document.querySelector<HTMLElement>("#case .case")?.dataset.case) || null;
const stamp = (): string => (moment === null ? "" : `?at=${encodeURIComponent(new Date(moment * 1000).toISOString())}`);

function mark(id: number | null): void {
  for (const row of rows()) {
    if (Number(row.dataset.case) === id) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  map.highlight(id);
}

function select(id: number): void {
  mark(id);
  desk.dataset.show = "case";
  const url = new URL(location.href);
  url.searchParams.set("case", String(id));
  history.replaceState(null, "", url);
  void htmx.ajax("get", `/cases/${id}/panel${stamp()}`, { target: panel, swap: "innerHTML" });
}

document.querySelector(".desk-switch [data-part=map]")?.addEventListener("click", () => {
  requestAnimationFrame(() => map.shown());
});

document.addEventListener("click", (event) => {
  const row = (event.target as Element).closest<HTMLElement>(".queue-row");
  if (!row || event.ctrlKey || event.metaKey) return;
  const id = Number(row.dataset.case);
  mark(id);
  const url = new URL(location.href);
  url.searchParams.set("case", String(id));
  history.replaceState(null, "", url);
});

document.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, textarea, select")) return;
  const step = { j: 1, k: -1 }[event.key.toLowerCase()];
  if (!step) return;
  event.preventDefault();
  const all = rows();
  const now = all.findIndex((row) => row.hasAttribute("aria-current"));
  const next = all[Math.max(0, Math.min(all.length - 1, now + step))];
  if (next) {
    next.scrollIntoView({ block: "nearest" });
    select(Number(next.dataset.case));
  }
});

// The queue: what is new slides in, but never under a hand that is about to press.
let hand = false;
let waiting = false;
const side = document.querySelector(".desk-queue") as HTMLElement;
side.addEventListener("pointerenter", () => (hand = true));
side.addEventListener("pointerleave", () => {
  hand = false;
  if (waiting) void refreshQueue();
});

async function refreshQueue(): Promise<void> {
  if (moment !== null) return;
  if (hand) {
    waiting = true;
    const hint = document.querySelector<HTMLButtonElement>("[data-newer]");
    if (hint) {
      hint.hidden = false;
      hint.textContent = word("newCases");
      hint.onclick = () => {
        hand = false;
        void refreshQueue();
      };
    }
    return;
  }
  waiting = false;
  const before = new Set(rows().map((row) => row.id));
  await swapQueue(withPlace(bar.dataset.queue ?? ""));
  for (const row of rows()) if (!before.has(row.id)) row.classList.add("fresh");
}

let swapping: Promise<void> = Promise.resolve();
async function swapQueue(url: string): Promise<void> {
  const top = document.querySelector(".queue-rows")?.scrollTop ?? 0;
  // One after the other: an answer about the past must not arrive after the one about now.
  swapping = swapping.catch(() => undefined).then(() => htmx.ajax("get", url, { target: "#queue", swap: "outerHTML" }));
  await swapping;
  const list = document.querySelector(".queue-rows");
  if (list) list.scrollTop = top;
  const count = document.querySelector("[data-count]")?.textContent;
  if (count && moment === null) for (const badge of document.querySelectorAll(".badge-count")) badge.textContent = count;
  mark(chosen());
}

async function refreshMap(): Promise<void> {
  const answer = await fetch(withPlace(home.dataset.url ?? ""), { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const data = (await answer.json()) as MapData;
  const first = liveData === null;
  liveData = data;
  if (first) await map.load(structuredClone(data));
  else if (moment === null) {
    map.drawCases(data.cases);
    map.show(new Map(data.devices.map((device) => [device.id, device.state])));
  }
  map.highlight(chosen());
}

let timer = 0;
function soon(): void {
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    void refreshQueue();
    if (moment === null) void refreshMap();
  }, 120);
}
document.addEventListener("cases-changed", soon);
document.body.addEventListener("case-changed", soon);
onLive("device", soon);
onLive("resync", soon);

// Door dots follow their observations without asking the server.
for (const type of ["observation", "observations", "obs"]) onLive(type, (event) => observed(event));
function observed(event: Record<string, unknown>): void {
  if (moment !== null || !liveData) return;
  const list = (Array.isArray(event.rows) ? event.rows : Array.isArray(event.data) ? event.data : [event.data ?? event]) as Record<string, unknown>[];
  const states = new Map<number, Record<string, unknown>>();
  for (const item of list) {
    const result = item?.result as { state?: unknown } | undefined;
    if (typeof result?.state !== "string") continue;
    const device = liveData.devices.find((other) => other.id === item.device_id || other.code === item.device);
    if (!device) continue;
    const key = Object.keys(device.state)[0] ?? String(item.kind);
    device.state = { ...device.state, [key]: result.state };
    states.set(device.id, device.state);
  }
  if (states.size) map.show(states);
}

// Looking back: every frame from chunks in the browser; queue and case once the hand rests.
let drawing = false;
const timebar = new Timebar(bar, {
  moved(at) {
    const was = moment;
    moment = at;
    if ((was === null) !== (at === null)) frame(at);
    if (at === null || drawing) return;
    drawing = true;
    replay.prepare(at);
    void replay.at(at).then((found) => {
      drawing = false;
      if (!found || moment === null) return;
      map.show(found.states);
      map.drawCases(found.cases);
    });
    const face = document.querySelector(".clock.then time");
    if (face) face.textContent = clock(new Date(at * 1000));
  },
  settled(at) {
    const url = new URL(location.href);
    if (at === null) url.searchParams.delete("at");
    else url.searchParams.set("at", new Date(at * 1000).toISOString());
    history.replaceState(null, "", url);
    if (at === null) {
      hand = false;
      void refreshQueue();
      if (liveData) {
        map.show(new Map(liveData.devices.map((device) => [device.id, device.state])));
        map.drawCases(liveData.cases);
      }
      void refreshMap();
    } else {
      void swapQueue(withPlace(`${bar.dataset.queue}${stamp()}`));
    }
    const id = chosen();
    if (id) void htmx.ajax("get", `/cases/${id}/panel${stamp()}`, { target: panel, swap: "innerHTML" });
  },
});

/** The frame and the word that say which moment the page shows. */
function frame(at: number | null): void {
  shell.classList.toggle("past", at !== null);
  const face = document.querySelector<HTMLElement>(".top .clock");
  if (!face) return;
  if (at === null) {
    face.className = "clock live";
    face.innerHTML = `<span class="dot good"></span>`;
    const time = document.createElement("time");
    time.dataset.clock = "";
    face.append(`${word("live")} `, time);
    document.querySelector(".top > a.btn-primary")?.remove();
  } else {
    face.className = "clock then";
    face.textContent = `${word("then")} `;
    face.append(document.createElement("time"));
  }
}

for (const button of document.querySelectorAll<HTMLElement>(".layers [data-layer]")) {
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    map.layer(button.dataset.layer ?? "", on);
  });
}

document.addEventListener("htmx:afterSwap", (event) => {
  const target = (event as CustomEvent<{ target: Element }>).detail.target;
  if (target === panel) mark(chosen());
});

void refreshMap().then(() => {
  if (moment !== null) timebar.goto(moment);
});
void timebar.load();
