import "@tabler/core/dist/css/tabler.css";
import "./shell.css";
import "./cases.css";
import "./wall.css";
import htmx from "htmx.org";
import { onLive } from "./live";
import { watchLive } from "./looks";
import { toast } from "./toast";
import { clock, remaining, word } from "./words";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.historyCacheSize = 0;
// Refusals bring the form back with what was typed: they are swapped in like any answer.
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "(409|422)", swap: true, error: false },
  { code: "[45]..", swap: false, error: true },
];

interface ProblemBody {
  title?: string;
  detail?: string;
  errors?: { field: string; message: string }[];
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const detail = (event as CustomEvent<{ xhr: XMLHttpRequest; shouldSwap: boolean; isError: boolean }>).detail;
  if (detail.xhr.getResponseHeader("Content-Type")?.includes("json") && detail.xhr.status >= 400) {
    detail.shouldSwap = false;
    say(detail.xhr);
  }
});
// What refreshes by itself waits while somebody fills in a form in it.
document.addEventListener("htmx:beforeRequest", (event) => {
  const element = event.target as HTMLElement;
  const busy = document.activeElement?.closest("form");
  if (element.hasAttribute("data-hold") && busy && element.contains(busy)) event.preventDefault();
});
document.addEventListener("htmx:responseError", (event) => say((event as CustomEvent<{ xhr: XMLHttpRequest }>).detail.xhr));
document.addEventListener("htmx:sendError", () => toast(word("failed"), { bad: true }));

function say(xhr: XMLHttpRequest): void {
  try {
    const problem = JSON.parse(xhr.responseText) as ProblemBody;
    const errors = (problem.errors ?? []).map((error) => error.message).join(" ");
    toast([problem.title, problem.detail, errors].filter(Boolean).join(" · "), { bad: true });
  } catch {
    toast(word("failed"), { bad: true });
  }
}

// Menus: a button and the list beside it.
function closeMenus(except?: Element | null): void {
  for (const open of document.querySelectorAll(".dropdown-menu.show")) {
    if (open === except) continue;
    open.classList.remove("show");
    open.parentElement?.querySelector("[data-bs-toggle]")?.setAttribute("aria-expanded", "false");
  }
}
document.addEventListener("click", (event) => {
  const target = event.target as Element;
  const button = target.closest("[data-bs-toggle='dropdown']");
  const menu = button?.parentElement?.querySelector(".dropdown-menu") ?? null;
  if (!button && target.closest(".dropdown-menu")) return;
  closeMenus(menu);
  if (!button || !menu) return;
  const shown = menu.classList.toggle("show");
  menu.setAttribute("data-bs-popper", "static");
  button.setAttribute("aria-expanded", String(shown));
  if (shown) {
    button.dispatchEvent(new CustomEvent("show.bs.dropdown", { bubbles: true }));
    menu.querySelector<HTMLElement>("input, a, button")?.focus();
  }
});
document.addEventListener("input", (event) => {
  const field = event.target as HTMLInputElement;
  if (!field.matches("[data-filter-list]")) return;
  const text = field.value.trim().toLowerCase();
  for (const row of field.parentElement?.querySelectorAll<HTMLElement>(".place-list a") ?? []) {
    row.hidden = text !== "" && !row.textContent?.toLowerCase().includes(text);
  }
});

// Keys: elements name theirs; typing in a field is never taken for one.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    closeMenus();
    for (const open of document.querySelectorAll<HTMLDetailsElement>("details.act[open]")) open.open = false;
    return;
  }
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, textarea, select, [contenteditable]")) return;
  if (event.key === "?") {
    document.querySelector<HTMLDialogElement>("#keys")?.showModal();
    return;
  }
  if (event.key === " " && target.matches("button, a, summary")) return;
  const found = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!found) return;
  event.preventDefault();
  if (found.matches("input")) found.focus();
  else {
    found.click();
    if (found.matches("summary")) {
      found.parentElement?.querySelector<HTMLElement>("input:not([type=hidden]), select")?.focus();
    }
  }
});

// Clocks: one timer for the page's time, the rings, the waiting times and the limits.
function tick(): void {
  const now = Date.now();
  for (const node of document.querySelectorAll("[data-clock]")) node.textContent = clock(new Date(now));
  for (const ring of document.querySelectorAll<HTMLElement>("[data-ring]")) {
    const left = (Date.parse(ring.dataset.ring ?? "") - now) / 1000;
    ring.style.setProperty("--share", String(Math.max(0, Math.min(1, left / Number(ring.dataset.total)))));
  }
  for (const node of document.querySelectorAll<HTMLTimeElement>("time[data-ago]")) {
    const seconds = Math.max(0, (now - Date.parse(node.dateTime)) / 1000);
    node.textContent =
      seconds < 3600
        ? `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`
        : remaining(seconds);
  }
  for (const node of document.querySelectorAll<HTMLElement>("[data-due]")) {
    const left = (Date.parse(node.dataset.due ?? "") - now) / 1000;
    const late = left < 0;
    node.classList.toggle("late", late);
    node.textContent = (late ? word("overdueBy") : word("timeLeft")).replace("%s", remaining(left));
  }
}
setInterval(tick, 1000);

// Pictures: boxes lie over the picture in shares of its size.
function prepare(root: ParentNode): void {
  for (const found of root.querySelectorAll<HTMLElement>(".found[data-box]")) place(found);
  tick();
}

function place(found: HTMLElement): void {
  const picture = found.parentElement?.querySelector<HTMLImageElement | HTMLVideoElement>("img, video");
  const box = JSON.parse(found.dataset.box ?? "[]") as number[];
  if (!picture || box.length !== 4) return;
  const put = (): void => {
    const width = picture instanceof HTMLImageElement ? picture.naturalWidth : picture.videoWidth;
    const height = picture instanceof HTMLImageElement ? picture.naturalHeight : picture.videoHeight;
    if (!width || !height) return;
    // Boxes come in pixels (x1, y1, x2, y2) or in shares (x, y, width, height).
    const shares = box.every((value) => value <= 1);
    const [x, y, w, h] = shares
      ? box
      : [box[0] / width, box[1] / height, (box[2] - box[0]) / width, (box[3] - box[1]) / height];
    Object.assign(found.style, { left: `${x * 100}%`, top: `${y * 100}%`, width: `${w * 100}%`, height: `${h * 100}%` });
    found.classList.add("placed");
  };
  put();
  picture.addEventListener(picture instanceof HTMLImageElement ? "load" : "loadedmetadata", put);
}

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>(".shots button");
  const player = button?.closest(".player");
  if (!button || !player) return;
  const buttons = [...player.querySelectorAll(".shots button")];
  const chosen = buttons.indexOf(button);
  buttons.forEach((other, index) => other.setAttribute("aria-pressed", String(index === chosen)));
  player.querySelectorAll<HTMLElement>(".shot").forEach((shot, index) => {
    shot.hidden = index !== chosen;
    if (index !== chosen) shot.querySelector("video")?.pause();
  });
});

// Lists: selects apply at once; picked rows bring up what can be done with them.
document.addEventListener("change", (event) => {
  const field = event.target as HTMLInputElement;
  if (field.matches("form[data-auto-submit] select")) field.form?.requestSubmit();
  const form = field.closest<HTMLFormElement>("form[data-picked]");
  if (!form) return;
  const rows = [...form.querySelectorAll<HTMLInputElement>("input[name=ids]")];
  if (field.matches("[data-pick-all]")) for (const row of rows) row.checked = field.checked;
  const count = rows.filter((row) => row.checked).length;
  const bulk = form.querySelector<HTMLElement>("[data-bulk]");
  if (!bulk) return;
  bulk.hidden = count === 0;
  const shown = bulk.querySelector("[data-picked-count]");
  if (shown) shown.textContent = word("picked").replace("%s", String(count));
});
// Empty filters would only make the address long.
document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (!form.matches("form[data-auto-submit]")) return;
  for (const field of form.querySelectorAll<HTMLInputElement>("input, select")) field.disabled = field.value === "";
});

document.addEventListener("htmx:load", (event) => prepare((event as CustomEvent<{ elt: HTMLElement }>).detail.elt));
prepare(document);

// The count of waiting cases in the rail follows the live stream on every page.
if (document.querySelector(".shell:not(.past), .wall")) {
  let timer = 0;
  onLive("case", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => document.dispatchEvent(new CustomEvent("cases-changed")), 120);
  });
}

watchLive();
