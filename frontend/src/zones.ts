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
  if (!home || !svg || !list || !row) return;
  svg.replaceChildren();
  for (const old of home.querySelectorAll(".handle, .tagged")) old.remove();
  zones.forEach((zone, index) => {
    const shape = document.createElementNS(SPACE, kindOf(zone) === "line" ? "polyline" : "polygon");
    shape.setAttribute("points", zone.points.map(([x, y]) => `${x * 1000},${y * 1000}`).join(" "));
    shape.setAttribute("class", `shape ${kindOf(zone)}${index === chosen ? " chosen" : ""}`);
    shape.addEventListener("click", (event) => {
      if (index !== chosen) {
        event.stopPropagation();
        chosen = index;
        draw();
      }
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
  rows();
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
    else if (move) zone.points[index] = [clamp(zone.points[index][0] + move[0]), clamp(zone.points[index][1] + move[1])];
    else return;
    event.preventDefault();
    draw();
    home?.querySelectorAll<HTMLElement>(".handle")[index]?.focus();
  });
  home?.append(dot);
}

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
    input.addEventListener("focus", () => {
      if (chosen !== index) {
        chosen = index;
        draw();
        list.querySelectorAll<HTMLElement>("input")[index]?.focus();
      }
    });
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
  button.addEventListener("click", () => {
    const kind = button.dataset.add === "line" ? "line" : "zone";
    const names = new Set(zones.map((zone) => zone.name));
    let number = 1;
    while (names.has(`${word(kind)} ${number}`)) number += 1;
    zones.push({ name: `${word(kind)} ${number}`, kind, points: [] });
    chosen = zones.length - 1;
    draw();
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
