// Fields of the steps. What is typed is kept as a draft at once, encrypted, so that a reload loses nothing.
import { button, h } from "./dom";
import * as keep from "./keep";
import type { Content } from "./model";
import { t } from "./words";

const LATER = 300;
let n = 0;

export function field(label: string, input: HTMLElement, error = ""): HTMLElement {
  n += 1;
  input.id ||= `f${n}`;
  const wrong = h("p", { class: "wrong-text", role: "alert", id: `${input.id}-wrong`, hidden: !error }, error);
  input.setAttribute("aria-describedby", wrong.id);
  input.addEventListener("input", () => clear(input));
  return h("div", { class: error ? "field wrong" : "field" }, h("label", { for: input.id }, label), input, wrong);
}

const clear = (input: HTMLElement): void => { if (input.getAttribute("aria-invalid") === "true") wrong(input, ""); };

/** Show what is wrong beside a field; an empty text takes it away. */
export function wrong(input: HTMLElement, text: string): void {
  const said = document.getElementById(`${input.id}-wrong`);
  if (!said) return;
  said.textContent = text;
  said.hidden = !text;
  input.closest(".field")?.classList.toggle("wrong", Boolean(text));
  input.setAttribute("aria-invalid", String(Boolean(text)));
}

export const area = (name: string, value: unknown, rows = 3): HTMLTextAreaElement => h("textarea", { name, rows, maxlength: 4000, value: value ?? "" });
export const line = (name: string, value: unknown, extra: Record<string, unknown> = {}): HTMLInputElement =>
  h("input", { name, maxlength: 120, value: value ?? "", autocomplete: "off", ...extra });

/** A choice of big buttons; radio inputs underneath, so that keys and screen readers work. */
export function choice(name: string, legend: string, options: [string, string][], chosen: string, changed: (value: string) => void = () => undefined): HTMLFieldSetElement {
  return h("fieldset", { class: "field" }, h("legend", {}, legend), h("div", { class: "choices" }, ...options.map(([value, label]) =>
    h("label", {}, h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => changed(value) }), label))));
}

export const picked = (form: HTMLElement, name: string): string => form.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)?.value ?? "";
export const typed = (form: HTMLElement, name: string): string => form.querySelector<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>(`[name="${name}"]`)?.value.trim() ?? "";
export const ticked = (form: HTMLElement, name: string): boolean => form.querySelector<HTMLInputElement>(`[name="${name}"]`)?.checked ?? false;

export function tick(name: string, label: string, checked: boolean): HTMLElement {
  return h("label", { class: "check" }, h("input", { type: "checkbox", name, checked }), h("span", {}, label));
}

/** A form whose state is kept while it is filled in. */
export function kept(visit: number, kind: string, read: () => Content, save: () => void | Promise<void>, ...children: (Node | null)[]): HTMLFormElement {
  let timer = 0;
  const form = h("form", { class: "step", novalidate: true, onsubmit: (event: Event) => { event.preventDefault(); clearTimeout(timer); void save(); } }, ...children);
  const later = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => { if (form.isConnected) void keep.saveDraft(visit, kind, read()); }, LATER);
  };
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  return form;
}

export interface Rows {
  element: HTMLElement;
  values(): Record<string, string>[];
}

/** Rows that are added and removed, such as wounds; each has the same fields. */
export function rows(label: string, add: string, fields: [name: string, label: string, kind: string, options?: [string, string][]][], given: Record<string, unknown>[], changed: () => void): Rows {
  const list = h("div", {});
  const one = (value: Record<string, unknown>): HTMLElement => {
    const row = h("div", { class: "row-card" }, ...fields.map(([name, text, kind, options]) => {
      const input = options
        ? h("select", { name }, ...options.map(([code, shown]) => h("option", { value: code, selected: value[name] === code }, shown)))
        : line(name, value[name], kind === "number" ? { type: "number", inputmode: "decimal", step: "any", min: 0 } : {});
      return field(text, input);
    }), button(t("remove"), "x", () => { row.remove(); changed(); }, "btn quiet"));
    return row;
  };
  list.append(...given.map(one));
  const element = h("fieldset", { class: "field" }, h("legend", {}, label), list, button(add, "plus", () => { list.append(one({})); list.lastElementChild?.querySelector("input")?.focus(); }));
  return {
    element,
    values: () => [...list.children].map((row) => Object.fromEntries(fields.map(([name]) => [name, typed(row as HTMLElement, name)]))),
  };
}

export const number = (text: string): number | null => (text === "" || Number.isNaN(Number(text)) ? null : Number(text));
