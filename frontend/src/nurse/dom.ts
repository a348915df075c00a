type Child = Node | string | null | undefined | false;
type Props = Record<string, unknown>;

/** An element: `on…` are listeners, `true` an empty attribute, null or false none; "value" and "checked" are set as properties. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else if (name === "value") (element as unknown as { value: string }).value = String(value);
    else if (name === "checked") (element as unknown as { checked: boolean }).checked = Boolean(value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag: string, attributes: Record<string, string | number>, ...children: Node[]): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** A symbol of the sprite that the page names; decoration, never the only sign. */
export function icon(name: string): SVGElement {
  return svg("svg", { class: "i", "aria-hidden": "true" }, svg("use", { href: `${document.body.dataset.icons ?? ""}#${name}` }));
}

// Symbols whose names come as values: icon("alert-triangle") icon("arrow-back-up") icon("bluetooth") icon("check") icon("circle") icon("circle-check") icon("cloud-check") icon("cloud-off") icon("cloud-upload") icon("current-location") icon("language") icon("lock") icon("login") icon("logout") icon("plus") icon("refresh") icon("sos") icon("trash") icon("user-x") icon("x")
export const button = (label: string, name: string, act: () => void, css = "btn"): HTMLButtonElement =>
  h("button", { type: "button", class: css, onclick: act }, name ? icon(name) : null, label);

/** One at a time, in the order asked for. */
export function serially(): <T>(act: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const next = last.then(act, act);
    last = next.catch(() => undefined);
    return next;
  };
}
