// Settings, and what a person must look at.
import { button, h, icon } from "./dom";
import { line } from "./forms";
import * as keep from "./keep";
import { said } from "./told";
import * as vault from "./vault";
import { clock, dayOf, english, speak, t } from "./words";

const LARGE = "shoufu-nurse-large";
export const large = (): boolean => localStorage.getItem(LARGE) === "1";
export const applyLarge = (): boolean => document.documentElement.classList.toggle("large", large());

async function leave(): Promise<void> {
  const token = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="))?.slice(10) ?? "";
  await keep.forget();
  await fetch("/accounts/logout/", { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => undefined);
  vault.lock();
  location.replace("#");
  location.reload();
}

export function settings(changed: () => void, lock: () => void): HTMLElement {
  const word = line("word", "");
  const wipe = async (): Promise<void> => {
    if (keep.waiting && word.value.trim() !== t("wipeWord")) return word.focus();
    await vault.wipe();
    location.replace("#");
    location.reload();
  };
  return h("div", { class: "step" },
    button(t("language"), "language", () => { speak(english ? "zh-hans" : "en"); changed(); }, "btn big"),
    h("label", { class: "check card" }, h("input", { type: "checkbox", checked: large(), onchange: (event: Event) => { localStorage.setItem(LARGE, (event.target as HTMLInputElement).checked ? "1" : ""); applyLarge(); } }), t("largePrint")),
    ...(keep.bundle?.practitioners.slice(0, 1) ?? []).map((me) => h("a", { class: "btn big", href: `/homecare/register/practitioners/${me.id}/#portrait-card` }, icon("camera"), t("myPortrait"))),
    button(t("lock"), "lock", lock, "btn big"),
    keep.waiting ? h("p", { class: "card warn" }, t("signOutUnsent", { n: keep.waiting })) : null,
    button(t("signOut"), "logout", () => void leave(), "btn big"),
    keep.waiting ? h("div", { class: "card warn" }, h("p", {}, t("wipeAsk", { n: keep.waiting })), word) : null,
    button(t("wipe"), "trash", () => void wipe(), "btn danger big"));
}

export function problems(): HTMLElement {
  const root = h("div", {});
  const untold = keep.untold();
  if (!untold.length) root.append(h("p", { class: "card empty" }, t("problemsNone")));
  for (const one of untold) {
    const fields = said(one.line);
    const decided = one.result === "settled";
    root.append(h("section", { class: `card${one.result === "applied" ? " good" : decided ? "" : " warn"}`, "data-result": one.result },
      h("h2", {}, `${t(one.kind === "missed" ? "couldNot" : one.kind)} · ${t(one.result)}`),
      h("p", { class: "muted" }, `${keep.doings.get(one.visit)?.title ?? one.visit} · ${dayOf(one.at)} ${clock(one.at)}`),
      one.result === "applied" ? h("p", {}, t("appliedHow")) : h("p", {}, decided ? t("decided", { what: one.detail }) : one.detail || one.title),
      fields.length ? h("details", {}, h("summary", {}, t("what")), h("dl", { class: "facts" }, ...fields.map(([label, text]) => h("div", {}, h("dt", {}, label), h("dd", {}, text))))) : null,
      h("button", { type: "button", class: "btn", onclick: () => void keep.dismiss(one.id) }, icon("check"), t("understood"))));
  }
  return root;
}
