import "./timemachine.css";
import { DayBar } from "./timemachine/bar";
import { Days } from "./timemachine/days";
import { type Chunk, eventsIn, type Happened, type Mark, statesAt } from "./timemachine/fold";
import { Panes } from "./timemachine/panes";
import { Pictures } from "./timemachine/pictures";
import { Reel } from "./timemachine/reel";
import { PastMap, type Stage } from "./timemachine/stage";
import { toast } from "./toast";
import { block, clock, dayAndClock, instant, wall, word } from "./words";

interface Start {
  at: number;
  words: Record<string, string>;
}

const root = document.getElementById("replay") as HTMLElement;
const start = block<Start>("replay-start") as Start;
const say = (name: string): string => start.words[name] ?? word(name);
const place = root.dataset.place as string;
const one = <T extends HTMLElement>(selector: string): T => root.querySelector(selector) as T;
const withPlace = (name: string): string => `${root.dataset[name]}?place=${place}`;

const MINUTE = 60_000;
const RECENT = 10 * MINUTE;
const HOUR = 60 * MINUTE;
const GLOW = 5 * MINUTE;

let at = start.at * 1000;
let speed = Number(root.dataset.speed) || 1;
let later = root.dataset.later === "1";
let other = root.dataset.other ?? "";
let playing = false;
let day = "";
let stage: Stage | null = null;
let panes: Panes | null = null;

const reel = new Reel(root.dataset.chunk as string, place, () => toast(say("loadFailed"), { bad: true }));
const first = new PastMap(one("[data-map=first] .map-home"), (id) => choose(id));
let second: PastMap | null = null;
const bar = new DayBar(one<HTMLCanvasElement>(".replay-bar canvas"), (moment, done) => go(moment, done));
const days = new Days(root, withPlace("days"));
const address = new URL(location.href);
const pictures = new Pictures(root, withPlace("pictures"), say, Number(address.searchParams.get("camera")), (id) => {
  address.searchParams.set("camera", String(id));
  history.replaceState(null, "", address);
});

const dayOf = (moment: number): string => wall(new Date(moment)).toISOString().slice(0, 10);
/** The same time of day on the other day. */
const beside = (moment: number): number => instant(`${other}T${wall(new Date(moment)).toISOString().slice(11, 23)}`).getTime();

function choose(id: number): void {
  for (const row of root.querySelectorAll<HTMLElement>(".case-row")) row.classList.toggle("chosen", row.dataset.case === String(id));
  first.district.highlight(id);
  show("cases");
}

function show(part: string): void {
  root.dataset.show = part;
  for (const button of root.querySelectorAll<HTMLElement>(".replay-switch button")) button.setAttribute("aria-pressed", String(button.dataset.part === part));
  if (part === "map") requestAnimationFrame(() => first.district.shown());
}

// Where time stands.

function go(moment: number, done = true): void {
  at = Math.min(Math.max(moment, 0), Date.now());
  void ready();
  paint();
  if (done) settle();
}

/** Have the chunk of the moment; the clock waits for it, so that nothing is skipped. */
async function ready(): Promise<void> {
  const slow = setTimeout(() => (one("[data-wait]").hidden = false), 300);
  const wanted = [reel.need(at, speed)];
  if (other) wanted.push(reel.need(beside(at), speed));
  await Promise.all(wanted);
  clearTimeout(slow);
  one("[data-wait]").hidden = true;
  paint(true);
}

function settle(): void {
  if (dayOf(at) !== day) loadDay();
  link();
  void pictures.show(at, speed, playing, later);
  const chunk = reel.at(at);
  // The hour before, for what passed just now.
  if (chunk) void reel.fetch(chunk.since - 1, HOUR).then(() => paint(true));
}

function loadDay(): void {
  day = dayOf(at);
  one<HTMLInputElement>("[data-day]").value = day;
  void bar.load(`${withPlace("bars")}&day=${day}`);
  if (other) void days.load(day, other);
}

function link(): void {
  address.searchParams.set("place", place);
  address.searchParams.set("at", new Date(Math.floor(at / 1000) * 1000).toISOString().replace(".000", ""));
  address.searchParams.set("speed", String(speed));
  set("later", later ? "1" : "");
  set("with", other);
  history.replaceState(null, "", address);
}

function set(name: string, value: string): void {
  if (value) address.searchParams.set(name, value);
  else address.searchParams.delete(name);
}

// The frame loop: everything from chunks that are here.

let last = 0;
let slow = 0;
let settled = 0;
function frame(time: number): void {
  if (!playing) return;
  requestAnimationFrame(frame);
  const here = reel.at(at) && (!other || reel.at(beside(at)));
  if (last && here) {
    const next = at + Math.min(time - last, 250) * speed;
    if (next >= Date.now()) {
      pause();
      return;
    }
    at = next;
  }
  last = time;
  if (!reel.at(at)) void ready();
  else void reel.need(at, speed);
  paint();
  if (time - settled > 1000) {
    settled = time;
    settle();
  }
}

function paint(all = false): void {
  bar.show(at);
  const now = performance.now();
  // Maps follow 20 times a second, words four times: more nobody reads.
  if (!all && now - slow < 50) return;
  slow = now;
  words();
  const chunk = reel.at(at);
  if (chunk && stage) draw(first, chunk, at);
  if (other && second && stage) {
    const then = beside(at);
    const piece = reel.at(then);
    if (piece) draw(second, piece, then);
  }
  if (chunk && panes && (all || now - listed > 250)) {
    listed = now;
    lists(chunk);
  }
}
let listed = 0;

function draw(map: PastMap, chunk: Chunk, moment: number): void {
  const states = statesAt(chunk, moment, later);
  const open = panes ? chunk.cases.filter((mark) => isShown(mark, moment)) : [];
  map.show(states, open, passed(moment, GLOW), moment, speed);
}

function isShown(mark: Mark, moment: number): boolean {
  if (mark.opened > moment || (!later && mark.known > moment)) return false;
  const move = mark.moves.findLast(([moved, known]) => moved <= moment && (later || known <= moment));
  return !move || ["new", "acknowledged", "dispatched"].includes(move[2]);
}

/** What happened in the span before a moment, newest first, from the chunks that are here. */
function passed(moment: number, span: number): Happened[] {
  const found: Happened[] = [];
  let to = moment;
  for (const chunk of reel.back(moment, span)) {
    found.push(...eventsIn(chunk, Math.max(chunk.since, moment - span), to, later ? null : moment));
    to = chunk.since;
  }
  return found;
}

function lists(chunk: Chunk): void {
  if (!panes) return;
  const recent = passed(at, RECENT);
  panes.doors(statesAt(chunk, at, later), recent);
  panes.events(recent);
  panes.cars(passed(at, HOUR));
  panes.cases(chunk.cases, at, later);
}

function words(): void {
  const shown = new Date(at);
  const text = clock(shown);
  const face = document.querySelector("[data-face]");
  if (face && face.textContent !== text) face.textContent = text;
  const time = one<HTMLInputElement>("[data-time]");
  if (document.activeElement !== time && time.value !== text) time.value = text;
  one("[data-map=first] [data-caption]").textContent = dayAndClock(shown);
  if (other) {
    one("[data-map=second] [data-caption]").textContent = dayAndClock(new Date(beside(at)));
    days.at(wall(shown).getUTCHours());
  }
  one(".replay-bar canvas").setAttribute("aria-valuetext", dayAndClock(shown));
}

// What hands can do.

function play(): void {
  playing = true;
  last = 0;
  root.classList.add("playing");
  one("[data-play]").setAttribute("aria-label", word("pause"));
  requestAnimationFrame(frame);
  void pictures.show(at, speed, playing, later);
}

function pause(): void {
  playing = false;
  root.classList.remove("playing");
  one("[data-play]").setAttribute("aria-label", word("play"));
  settle();
}

one("[data-play]").addEventListener("click", () => (playing ? pause() : play()));
for (const button of root.querySelectorAll<HTMLElement>("[data-step]")) button.addEventListener("click", () => step(Number(button.dataset.step)));
for (const button of root.querySelectorAll<HTMLElement>("[data-speed-of]")) {
  button.addEventListener("click", () => {
    speed = Number(button.dataset.speedOf);
    for (const each of root.querySelectorAll("[data-speed-of]")) each.setAttribute("aria-pressed", String(each === button));
    void ready();
    settle();
  });
}

/** A step is ten seconds at 1×, and grows with the speed. */
function step(seconds: number): void {
  go(at + seconds * 1000 * Math.max(1, speed / 10));
}

document.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, textarea, select") || target.closest(".maplibregl-map")) return;
  const span = bar.span();
  const moves: Record<string, () => void> = {
    ArrowLeft: () => step(event.shiftKey ? -60 : -10),
    ArrowRight: () => step(event.shiftKey ? 60 : 10),
    PageDown: () => go(at - HOUR),
    PageUp: () => go(at + HOUR),
    Home: () => span && go(span.since),
    End: () => span && go(span.until - 1000),
  };
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  move();
});

one<HTMLInputElement>("[data-day]").addEventListener("change", (event) => {
  const value = (event.target as HTMLInputElement).value;
  if (value) go(instant(`${value}T${clock(new Date(at))}`).getTime());
});
for (const button of root.querySelectorAll<HTMLElement>("[data-day-step]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const next = new Date(`${dayOf(at)}T12:00:00Z`);
    next.setUTCDate(next.getUTCDate() + Number(button.dataset.dayStep));
    go(instant(`${next.toISOString().slice(0, 10)}T${clock(new Date(at))}`).getTime());
  });
}
one<HTMLInputElement>("[data-time]").addEventListener("change", (event) => {
  const value = (event.target as HTMLInputElement).value;
  if (value) go(instant(`${dayOf(at)}T${value.length === 5 ? `${value}:00` : value}`).getTime());
});

one("[data-later]").addEventListener("click", (event) => {
  later = !later;
  (event.currentTarget as HTMLElement).setAttribute("aria-pressed", String(later));
  const line = document.querySelector("[data-known-word]");
  if (line) line.textContent = later ? say("withLater") : word("then");
  panes?.forget();
  paint(true);
  settle();
});

async function jump(back: boolean): Promise<void> {
  const answer = await fetch(`${withPlace("case")}&at=${at / 1000}${back ? "&back=1" : ""}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const found = (await answer.json()) as { at: number | null; id: number | null };
  if (found.at === null) {
    toast(say("noCase"));
    return;
  }
  // Just as it is known: a case is raised some moments after what it is about.
  go(found.at * 1000 + (back ? 0 : 1));
  if (found.id !== null) first.district.highlight(found.id);
}
one("[data-case-back]").addEventListener("click", () => void jump(true));
one("[data-case-on]").addEventListener("click", () => void jump(false));

one("[data-share]").addEventListener("click", () => {
  link();
  navigator.clipboard.writeText(location.href).then(
    () => toast(say("linkCopied")),
    () => toast(say("linkFailed"), { bad: true }),
  );
});

one("[data-compare]").addEventListener("click", () => {
  const week = new Date(`${dayOf(at)}T12:00:00Z`);
  week.setUTCDate(week.getUTCDate() - 7);
  void compare(other ? "" : week.toISOString().slice(0, 10));
});
one<HTMLInputElement>("[data-other-day]").addEventListener("change", (event) => {
  const value = (event.target as HTMLInputElement).value;
  if (value) void compare(value);
});

async function compare(wanted: string): Promise<void> {
  other = wanted;
  root.classList.toggle("two-days", Boolean(other));
  one("[data-compare]").setAttribute("aria-pressed", String(Boolean(other)));
  one("[data-other-day]").hidden = !other;
  one("[data-map=second]").hidden = !other;
  one<HTMLInputElement>("[data-other-day]").value = other;
  if (other && stage) {
    if (!second) {
      second = new PastMap(one("[data-map=second] .map-home"), (id) => choose(id));
      await second.load(stage);
      together(first, second);
    }
    void days.load(dayOf(at), other);
  }
  requestAnimationFrame(() => {
    first.district.map.resize();
    second?.district.map.resize();
  });
  await ready();
  link();
}

/** Two maps of one place move as one. */
function together(a: PastMap, b: PastMap): void {
  let moving = false;
  const follow = (from: PastMap, to: PastMap) => () => {
    if (moving) return;
    moving = true;
    to.district.map.jumpTo({ center: from.district.map.getCenter(), zoom: from.district.map.getZoom() });
    moving = false;
  };
  a.district.map.on("move", follow(a, b));
  b.district.map.on("move", follow(b, a));
}

for (const button of root.querySelectorAll<HTMLElement>(".replay-switch [data-part]")) button.addEventListener("click", () => show(button.dataset.part ?? "map"));
document.querySelector(".shell")?.classList.add("past");

async function begin(): Promise<void> {
  loadDay();
  void ready();
  const answer = await fetch(withPlace("stage"), { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    toast(word("failed"), { bad: true });
    return;
  }
  stage = (await answer.json()) as Stage;
  panes = new Panes(root, stage, say);
  await first.load(stage);
  settle();
  paint(true);
  if (other) await compare(other);
  root.dataset.ready = "1";
}
void begin();
