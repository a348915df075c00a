import { day, nextOf, visitScreen } from "./day";
import { button, h, icon } from "./dom";
import { setUp, signinLink, unlock } from "./gate";
import * as idle from "./idle";
import * as keep from "./keep";
import { applyLarge, problems, settings } from "./more";
import * as place from "./place";
import * as sos from "./sos";
import { practitioner, screen as step, STEPS } from "./steps";
import * as sync from "./sync";
import * as vault from "./vault";
import { english, inZone, speak, t, tongue } from "./words";

const root = document.getElementById("app") as HTMLElement;
const title = h("h1", {});
const back = h("a", { class: "round", hidden: true });
const chip = h("button", { type: "button", class: "chip", role: "status", onclick: () => void sync.sync(true) });
const gear = h("a", { class: "round", href: "#settings" }, icon("settings"));
const banner = h("div", { class: "banner" });
const main = h("main", { id: "main", tabindex: -1 });
const bar = h("nav", { class: "bar" });
let shown = "";
let update: ServiceWorker | null = null;

const path = (): string[] => location.hash.replace(/^#/, "").split("/").filter(Boolean);
const go = (to: string): void => { if (location.hash === `#${to}`) void render(); else location.hash = to; };

const head = (text: string, to: string | null): void => {
  title.textContent = text;
  back.hidden = to === null;
  back.href = `#${to ?? ""}`;
  back.replaceChildren(icon("chevron-left"));
  back.setAttribute("aria-label", t("back"));
  gear.setAttribute("aria-label", t("settings"));
};

function status(): void {
  const n = keep.waiting;
  const words: Record<sync.State, [string, string, string]> = {
    offline: [n ? t("offlineWaiting", { n }) : t("offline"), "cloud-off", "warn"],
    sending: [t("sending"), "cloud-upload", ""],
    ready: [n ? t("waiting", { n }) : t("allSent"), n ? "cloud-upload" : "cloud-check", n ? "warn" : "good"],
    signin: [t("waiting", { n }), "login", "warn"],
    other: [t("waiting", { n }), "user-x", "warn"],
    revoked: [n ? t("waiting", { n }) : t("allSent"), "lock", "warn"],
    trouble: [t("waiting", { n }), "alert-triangle", "warn"],
  };
  const [text, name, css] = words[sync.state];
  chip.className = `chip ${css}`;
  chip.dataset.state = sync.state;
  chip.dataset.waiting = String(n);
  chip.replaceChildren(icon(name), text);
  chip.title = t("sendNow");
  chip.hidden = !vault.isOpen();
  banner.replaceChildren();
  if (sync.state === "signin") banner.append(h("p", {}, t("signinNeeded")), signinLink());
  if (sync.state === "other") banner.append(h("p", {}, t("otherUser", { name: vault.current()?.name ?? "" })), signinLink());
  if (sync.state === "revoked") banner.append(h("p", {}, t("revoked")), n ? h("p", {}, t(vault.isOpen() ? "revokedUnsent" : "revokedLocked", { n })) : "");
  if (sync.state === "trouble") banner.append(h("p", {}, t("trouble", { what: sync.problem })));
  const told = vault.isOpen() ? keep.untold().length : 0;
  if (told && path()[0] !== "problems") banner.append(h("a", { class: "btn", href: "#problems" }, icon("alert-triangle"), `${t("problems")} (${told})`));
  if (update) banner.append(button(`${t("newVersion")} · ${t("update")}`, "refresh", () => update?.postMessage("activate")));
}

/** The visit that a call for help is about: the open one, else the one that was begun. */
function here(): { id: number; number: string } | null {
  if (!vault.isOpen()) return null;
  const [name, id] = path();
  const visit = name === "visit" ? keep.visit(Number(id)) : keep.bundle?.visits.find((one) => keep.doings.get(one.id)?.inAt && !keep.doings.get(one.id)?.outAt);
  return visit ? { id: visit.id, number: visit.number } : null;
}

/** What stands round every screen, with the title of those that have none of their own. */
function frame(): void {
  status();
  bar.replaceChildren(sos.holdable());
  head(t("app"), null);
}

async function render(): Promise<void> {
  const [name, id, action] = path();
  frame();
  shown = location.hash;
  if (!vault.isOpen()) {
    gear.hidden = true;
    if (vault.current()) unlock(main, () => void opened(), () => { main.replaceChildren(h("p", { class: "card warn" }, t("wiped")), signinLink()); });
    else await setUp(main, () => void opened());
    return;
  }
  gear.hidden = false;
  const visit = name === "visit" ? keep.visit(Number(id)) : undefined;
  if (visit) inZone(practitioner(visit)?.time_zone);
  if (visit && action && ([...STEPS, "missed", "addendum"] as string[]).includes(action)) {
    head(t(action === "missed" ? "couldNot" : action), `visit/${id}`);
    main.replaceChildren(await step(action as Parameters<typeof step>[0], visit, go));
  } else if (visit) {
    head(visit.patient.name, "");
    main.replaceChildren(visitScreen(visit));
    const next = nextOf(visit);
    if (next) bar.append(h("a", { class: "btn primary big", href: `#visit/${id}/${next}` }, t(next), icon("chevron-right")));
  } else if (name === "settings") {
    head(t("settings"), "");
    main.replaceChildren(settings(() => void render(), () => { history.replaceState(null, "", "#"); lock(); }));
  } else if (name === "problems") {
    head(t("problems"), "");
    main.replaceChildren(problems());
  } else {
    // Who is not sent to homes reads why above, and not that visits will come.
    main.replaceChildren(sync.state === "revoked" ? "" : day());
  }
  if (visit) place.follow();
  scrollTo(0, 0);
}

function lock(): void {
  vault.lock();
  keep.unload();
  void render();
  activate();
}

/** A new version takes over by itself while the phone is locked, unless somebody's way is being recorded: loading anew stops it. */
function activate(): void {
  if (update && !vault.isOpen() && !place.tracing()) update.postMessage("activate");
}

async function opened(): Promise<void> {
  inZone(keep.bundle?.practitioners[0]?.time_zone);
  const running = [...keep.doings.values()].find((one) => one.traced && one.inAt && !one.outAt && !one.missed);
  if (running) place.trace(running.id);
  await render();
  void sync.sync(true);
  if (navigator.onLine) void navigator.serviceWorker?.getRegistration().then((found) => found?.update()).catch(() => undefined);
}

async function worker(): Promise<void> {
  const address = document.body.dataset.worker;
  if (!address || !("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.register(address, { scope: document.body.dataset.scope });
  const waiting = (): void => {
    update = registration.waiting && navigator.serviceWorker.controller ? registration.waiting : null;
    activate();
    status();
  };
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", waiting));
  let controlled = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    // The first worker takes over the page that is open; only a later one brings new files.
    if (controlled) location.reload();
    controlled = true;
  });
  waiting();
}

async function start(): Promise<void> {
  speak(english ? "en" : "zh-hans", false);
  applyLarge();
  root.replaceChildren(h("header", { class: "top" }, back, title, chip, gear), banner, main, bar);
  if (!crypto.subtle || !("indexedDB" in window)) {
    main.append(h("p", { class: "card warn" }, t("unable")));
    return;
  }
  await vault.load();
  await keep.expire();
  await keep.count();
  addEventListener("hashchange", () => void render());
  // Whose account it is is known only when the first page stands there; the settings draw themselves anew.
  tongue.addEventListener("changed", () => { if (!vault.isOpen()) frame(); });
  keep.news.addEventListener("changed", () => {
    status();
    const [name, , action] = path();
    // A form is never drawn anew under somebody's hand.
    const calm = !action && name !== "settings" && shown === location.hash;
    // Unless the patients' data had to leave: then nothing of it stays on the screen either.
    if (vault.isOpen() && (calm || !keep.bundle)) void render();
  });
  await render();
  sync.start();
  idle.start(lock);
  await sos.start(here);
  await worker().catch(() => undefined);
}

void start();
