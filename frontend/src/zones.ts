import "./zones.css";
import { toast } from "./toast";
import { block, word } from "./words";

interface Zone {
  name: string;
  name_en?: string;
  kind?: "zone" | "line";
  points: [number, number][];
}

const start = block<{ zones: Zone[]; version: number; save: string }>("zones-start");
const home = document.querySelector<HTMLElement>("[data-canvas]");
const svg = home?.querySelector("svg");
const list = document.querySelector<HTMLElement>("[data-list]");
const row = document.querySelector<HTMLTemplateElement>("#zones template");
const zones: Zone[] = structuredClone(start?.zones ?? []);
let version = start?.version ?? 1;
let chosen = zones.length ? 0 : -1;
const SPACE = "http://www.w3.org/2000/svg";

const kindOf = (zone: Zone): "zone" | "line" => zone.kind ?? "zone";
const clamp = (value: number): number => Math.round(Math.max(0, Math.min(1, value)) * 10_000) / 10_000;

function point(event: PointerEvent | MouseEvent): [number, number] {
  const box = (home as HTMLElement).getBoundingClientRect();
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
}

function draw(): void {
  shapes();
  rows();
}

function shapes(): void {
  if (!home || !svg) return;
  svg.replaceChildren();
  for (const old of home.querySelectorAll(".handle, .tagged")) old.remove();
  zones.forEach((zone, index) => {
    const shape = document.createElementNS(SPACE, kindOf(zone) === "line" ? "polyline" : "polygon");
    shape.setAttribute("points", zone.points.map(([x, y]) => `${x * 1000},${y * 1000}`).join(" "));
    shape.setAttribute("class", `shape ${kindOf(zone)}${index === chosen ? " chosen" : ""}`);
    shape.addEventListener("click", (event) => {
      if (index === chosen) return;
      event.stopPropagation();
      choose(index);
    });
    svg.append(shape);
    if (zone.points.length) {
      const tag = document.createElement("span");
      tag.className = "tagged";
      tag.textContent = zone.name;
      tag.style.left = `${(zone.points.reduce((sum, [x]) => sum + x, 0) / zone.points.length) * 100}%`;
      tag.style.top = `${(zone.points.reduce((sum, [, y]) => sum + y, 0) / zone.points.length) * 100}%`;
      home.append(tag);
    }
  });
  zones[chosen]?.points.forEach((_point, index) => handle(zones[chosen], index));
}

// The rows stay as they are: one that has the focus must not be made anew under it.
function choose(index: number): void {
  if (index === chosen) return;
  chosen = index;
  shapes();
  list?.querySelectorAll(".zone-row").forEach((node, at) => node.classList.toggle("chosen", at === chosen));
}

function handle(zone: Zone, index: number): void {
  const dot = document.createElement("button");
  dot.type = "button";
  dot.className = "handle";
  dot.setAttribute("aria-label", `${zone.name} ${index + 1}`);
  const put = (): void => {
    dot.style.left = `${zone.points[index][0] * 100}%`;
    dot.style.top = `${zone.points[index][1] * 100}%`;
  };
  put();
  dot.addEventListener("pointerdown", (event) => {
    event.stopPropagation();
    dot.setPointerCapture(event.pointerId);
  });
  dot.addEventListener("pointermove", (event) => {
    if (!dot.hasPointerCapture(event.pointerId)) return;
    zone.points[index] = point(event);
    put();
    const shape = svg?.querySelectorAll(".shape")[chosen];
    shape?.setAttribute("points", zone.points.map(([x, y]) => `${x * 1000},${y * 1000}`).join(" "));
  });
  dot.addEventListener("pointerup", draw);
  dot.addEventListener("click", (event) => event.stopPropagation());
  dot.addEventListener("dblclick", (event) => {
    event.stopPropagation();
    zone.points.splice(index, 1);
    draw();
  });
  dot.addEventListener("keydown", (event) => {
    const moves: Record<string, [number, number]> = { ArrowLeft: [-0.01, 0], ArrowRight: [0.01, 0], ArrowUp: [0, -0.01], ArrowDown: [0, 0.01] };
    const move = moves[event.key];
    if (event.key === "Delete") zone.points.splice(index, 1);
    else if (event.key === "Insert" && kindOf(zone) === "zone") zone.points.splice(index + 1, 0, between(zone.points, index));
    else if (move) zone.points[index] = [clamp(zone.points[index][0] + move[0]), clamp(zone.points[index][1] + move[1])];
    else return;
    event.preventDefault();
    draw();
    home?.querySelectorAll<HTMLElement>(".handle")[index]?.focus();
  });
  home?.append(dot);
}

function between(points: [number, number][], index: number): [number, number] {
  const [here, next] = [points[index], points[(index + 1) % points.length]];
  return [clamp((here[0] + next[0]) / 2), clamp((here[1] + next[1]) / 2)];
}

// A shape to begin with where there is no pointer to draw one: its corners move by the arrow keys.
const FIRST: Record<"zone" | "line", [number, number][]> = {
  zone: [[0.35, 0.35], [0.65, 0.35], [0.65, 0.65], [0.35, 0.65]],
  line: [[0.3, 0.5], [0.7, 0.5]],
};

function rows(): void {
  if (!list || !row) return;
  list.replaceChildren();
  if (!zones.length) list.textContent = word("empty");
  zones.forEach((zone, index) => {
    const node = (row.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
    node.classList.toggle("chosen", index === chosen);
    (node.querySelector(".tag") as HTMLElement).textContent = word(kindOf(zone));
    const input = node.querySelector("input") as HTMLInputElement;
    input.value = zone.name;
    input.addEventListener("focus", () => choose(index));
    input.addEventListener("input", () => {
      zone.name = input.value;
      const tags = home?.querySelectorAll(".tagged");
      if (tags?.[index]) tags[index].textContent = zone.name;
    });
    node.querySelector("button")?.addEventListener("click", () => {
      const gone = zones.splice(index, 1)[0];
      chosen = zones.length - 1;
      draw();
      toast(gone.name, { action: word("undo"), act: () => { zones.splice(index, 0, gone); chosen = index; draw(); } });
    });
    list.append(node);
  });
}

home?.addEventListener("click", (event) => {
  const zone = zones[chosen];
  if (!zone || (kindOf(zone) === "line" && zone.points.length >= 2)) return;
  zone.points.push(point(event));
  draw();
});
for (const button of document.querySelectorAll<HTMLElement>("[data-add]")) {
  button.addEventListener("click", (event) => {
    const kind = button.dataset.add === "line" ? "line" : "zone";
    const names = new Set(zones.map((zone) => zone.name));
    let number = 1;
    while (names.has(`${word(kind)} ${number}`)) number += 1;
    zones.push({ name: `${word(kind)} ${number}`, kind, points: event.detail ? [] : structuredClone(FIRST[kind]) });
    chosen = zones.length - 1;
    draw();
    if (!event.detail) home?.querySelector<HTMLElement>(".handle")?.focus();
  });
}
document.querySelector("[data-save]")?.addEventListener("click", async () => {
  const short = zones.find((zone) => zone.points.length < (kindOf(zone) === "line" ? 2 : 3));
  if (short) {
    chosen = zones.indexOf(short);
    draw();
    toast(`${short.name}: ${word(kindOf(short) === "line" ? "needTwo" : "needThree")}`, { bad: true });
    return;
  }
  const token = (JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") as Record<string, string>)["X-CSRFToken"];
  const answer = await fetch(start?.save ?? "", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
    body: JSON.stringify({ zones, version }),
  });
  const body = (await answer.json()) as { version?: number; title?: string; detail?: string; errors?: { message: string }[] };
  if (answer.ok && body.version) {
    version = body.version;
    toast(word("saved"));
  } else toast([body.title, body.detail, ...(body.errors ?? []).map((error) => error.message)].filter(Boolean).join(" · "), { bad: true });
});
draw();
