/** The keys of the alarm centre's console: J and K move in the queue, others press what stands in the panel. */
function move(step: number): boolean {
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".officer-queue a")];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  const next = links[Math.max(0, Math.min(links.length - 1, at + step))];
  if (next) location.assign(next.href);
  return Boolean(next);
}

function press(key: string): boolean {
  const target = document.querySelector<HTMLElement>(`#officer-panel [data-officer-key="${CSS.escape(key)}"]`);
  target?.click();
  target?.closest("details")?.querySelector<HTMLElement>("input:not([type=hidden]), select")?.focus();
  return Boolean(target);
}

document.addEventListener(
  "keydown",
  (event) => {
    const element = event.target as Element;
    if (event.ctrlKey || event.metaKey || event.altKey || element.matches("input, select, textarea")) return;
    const key = event.key.toLowerCase();
    const done = key === "j" ? move(1) : key === "k" ? move(-1) : press(key);
    if (!done) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  true,
);
