import "./proposals.css";
import "./rehearse.css";
import { remaining, wall, word } from "./words";

const form = document.getElementById("rule-form") as HTMLFormElement | null;

// Sliders say their value in words.
function say(slider: HTMLElement): void {
  const input = slider.querySelector("input") as HTMLInputElement;
  const output = slider.querySelector("output") as HTMLOutputElement;
  output.textContent = slider.dataset.seconds === undefined ? input.value : remaining(Number(input.value));
}
for (const slider of document.querySelectorAll<HTMLElement>("[data-slider]")) {
  say(slider);
  slider.addEventListener("input", () => say(slider));
}

// What is typed is checked on the server, which knows the types; nothing is saved by that.
let timer = 0;
let running: AbortController | null = null;
async function check(): Promise<void> {
  if (!form) return;
  running?.abort();
  running = new AbortController();
  try {
    const answer = await fetch(form.dataset.check ?? "", {
      method: "POST",
      body: new FormData(form),
      headers: { "HX-Request": "true" },
      signal: running.signal,
    });
    if (!answer.ok) return;
    const home = document.getElementById("checked") as HTMLElement;
    home.innerHTML = await answer.text();
    const faults = new Map([...home.querySelectorAll<HTMLElement>("[data-faults] li")].map((li) => [li.dataset.field, li.lastChild?.textContent?.trim() ?? ""]));
    for (const place of form.querySelectorAll<HTMLElement>("[data-error]")) {
      const text = faults.get(place.dataset.error);
      place.hidden = !text;
      place.textContent = text ?? "";
      place.closest(".field")?.classList.toggle("wrong", Boolean(text));
    }
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
  }
}
form?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = window.setTimeout(() => void check(), 250);
});

// A piece of the sentence leads to its field.
document.addEventListener("click", (event) => {
  const target = event.target as Element;
  const piece = target.closest<HTMLElement>(".piece");
  if (piece && form) {
    const field = form.querySelector<HTMLElement>(`[name="${CSS.escape(piece.dataset.field ?? "")}"]`) ?? form.querySelector<HTMLElement>(".fold summary");
    (field?.closest("details") as HTMLDetailsElement | null)?.setAttribute("open", "");
    field?.focus();
  }
  const opener = target.closest<HTMLElement>("[data-dialog]");
  if (opener) document.querySelector<HTMLDialogElement>(`#${opener.dataset.dialog}`)?.showModal();
});

/** Lay the dots out: live above the line, the draft below, a column a day. */
function layOut(svg: SVGSVGElement): void {
  const width = svg.clientWidth;
  const height = svg.clientHeight;
  const columns = Number(svg.dataset.columns);
  const size = Number(svg.dataset.step);
  const first = new Date(svg.dataset.start ?? "").getTime();
  const middle = height * 0.5;
  const left = 34;
  const step = (width - left - 12) / Math.max(1, columns);
  const level = Math.min(15, (middle - 26) / Math.max(4, ...[...svg.querySelectorAll<SVGCircleElement>("circle")].map((dot) => Number(dot.dataset.level) + 1)));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  for (const old of svg.querySelectorAll("line, text")) old.remove();
  const add = (name: string, attributes: Record<string, number | string>, text = ""): void => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
    node.textContent = text;
    svg.prepend(node);
  };
  const every = Math.max(1, Math.round(70 / step));
  const two = (number: number): string => String(number).padStart(2, "0");
  for (let column = 0; column < columns; column += 1) {
    const x = left + step * (column + 0.5);
    add("line", { x1: x, y1: 6, x2: x, y2: height - 22 });
    if (column % every === 0) {
      const at = wall(new Date(first + column * size * 1000));
      const text = size >= 86_400 ? `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}` : `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
      add("text", { x, y: height - 6, "text-anchor": "middle" }, text);
    }
  }
  add("line", { x1: left - 8, y1: middle, x2: width, y2: middle });
  add("text", { x: 0, y: middle - 14 }, word("liveVersion"));
  add("text", { x: 0, y: middle + 24 }, word("draft"));
  for (const dot of svg.querySelectorAll<SVGCircleElement>("circle")) {
    const y = (Number(dot.dataset.level) + 1) * level;
    dot.setAttribute("cx", String(left + step * (Number(dot.dataset.column) + 0.5)));
    dot.setAttribute("cy", String(dot.classList.contains("live") ? middle - y - 3 : middle + y + 3));
  }
}

const watcher = new ResizeObserver((entries) => {
  for (const entry of entries) layOut(entry.target as SVGSVGElement);
});
function watch(): void {
  for (const svg of document.querySelectorAll<SVGSVGElement>("svg.dots")) watcher.observe(svg);
}
watch();
document.addEventListener("htmx:afterSwap", watch);
