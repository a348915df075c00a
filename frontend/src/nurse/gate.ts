// Before the day: setting the phone up, and unlocking it.
import { button, h } from "./dom";
import { field, wrong } from "./forms";
import * as idle from "./idle";
import * as keep from "./keep";
import * as sync from "./sync";
import * as vault from "./vault";
import { chosen, speak, t } from "./words";

const secret = (name: string): HTMLInputElement =>
  h("input", { type: "password", name, inputmode: "numeric", autocomplete: "off", maxlength: 12, class: "pin" });

const SIGNIN = "/accounts/login/?next=/homecare/encounters/phone/";
export const signinLink = (): HTMLElement => h("a", { class: "btn primary big", href: SIGNIN }, t("signin"));

/** Set the phone up: who is signed in, and a PIN. `then` is called once there is a key. */
export async function setUp(root: HTMLElement, then: () => void): Promise<void> {
  root.replaceChildren(h("p", { class: "muted", role: "status" }, "…"));
  const found = await sync.first();
  if (typeof found === "string") {
    const said = { signin: "firstSignin", offline: "firstOffline", revoked: "notNurse" }[found as string] ?? "firstSignin";
    root.replaceChildren(h("p", { class: "card" }, t(said)), found === "signin" ? signinLink() : button(t("retry"), "refresh", () => void setUp(root, then), "btn big"));
    return;
  }
  if (!chosen()) speak(found.language);
  const me = found.content.practitioners[0];
  const [pin, again] = [secret("pin"), secret("again")];
  const save = h("button", { class: "btn primary big" }, t("save"));
  const form = h("form", { class: "step", novalidate: true, onsubmit: async (event: Event) => {
    event.preventDefault();
    wrong(pin, vault.weak(pin.value) ? t("pinWeak") : "");
    wrong(again, pin.value === again.value ? "" : t("pinDiffers"));
    if (vault.weak(pin.value) || pin.value !== again.value) return;
    save.disabled = true;
    await vault.create(found.user, me.name, me.alarm_number, pin.value);
    await navigator.storage?.persist?.().catch(() => false);
    await keep.load();
    // Fetched again under the phone's own number, so that the server knows which phone has what.
    await sync.sync(true);
    then();
  } }, h("p", { class: "big-name" }, me.name), h("p", {}, t("setPinHow")), field(t("pin"), pin), field(t("pinAgain"), again), save);
  root.replaceChildren(h("h2", {}, t("setPin")), form);
  pin.focus();
}

/** Ask for the PIN. */
export function unlock(root: HTMLElement, then: () => void, wiped: () => void): void {
  const pin = secret("pin");
  const open = h("button", { class: "btn primary big" }, t("unlock"));
  const form = h("form", { class: "step", novalidate: true, onsubmit: async (event: Event) => {
    event.preventDefault();
    if (!pin.value || open.disabled) return;
    open.disabled = true;
    await keep.expire();
    const result = await vault.open(pin.value);
    if (result === "open") {
      idle.touch();
      await keep.load();
      return then();
    }
    if (result === "wiped") return wiped();
    const left = vault.MOST_TRIES - (vault.current()?.tries ?? 0);
    const unsent = keep.waiting;
    wrong(pin, left <= 3 && unsent ? t("pinWipes", { n: left, m: unsent }) : t("pinWrong", { n: left }));
    pin.value = "";
    open.disabled = false;
    pin.focus();
  } }, h("p", { class: "big-name" }, vault.current()?.name ?? ""), field(t("pin"), pin), open);
  root.replaceChildren(form);
  pin.focus();
}
