import "./resident.css";
import { bytes, importKey, keep, type Code } from "./rotating";

interface Stored extends Code {
  person: string;
  credential: number;
  label: string;
  offset: number;
}
interface Given {
  credential: number;
  head: string;
  key: string;
  size: number;
  step: number;
  label: string;
}

const token = (): string => document.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";

// The phone's key: non-extractable, in IndexedDB, so that the code is shown with the network off.
const database = (): Promise<IDBDatabase> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open("shoufu-resident", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("keys");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function inStore<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const open = await database();
  return new Promise((resolve, reject) => {
    const request = act(open.transaction("keys", mode).objectStore("keys"));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

const load = (): Promise<Stored | undefined> => inStore("readonly", (store) => store.get("door") as IDBRequest<Stored | undefined>);
const save = (stored: Stored): Promise<IDBValidKey> => inStore("readwrite", (store) => store.put(stored, "door"));
const forget = (): Promise<undefined> => inStore("readwrite", (store) => store.delete("door"));

/** Seconds by which the server's clock is ahead of this phone's; a phone with a wrong clock still shows right codes. */
function serverOffset(): number {
  const now = Number(document.body.dataset.now ?? "");
  const offset = now ? now - Date.now() / 1000 : 0;
  return Math.abs(offset) > 4 ? offset : 0;
}

async function phoneCode(card: HTMLElement): Promise<void> {
  const box = card.querySelector<HTMLElement>("[data-qr]");
  if (!box) return;
  const state = (name: string): void => {
    card.dataset.state = name;
  };
  if (!("subtle" in crypto) || !("indexedDB" in window)) return state("unable");
  let stored = await load();
  const known = card.dataset.credentials;
  const mine = stored && (known === undefined || (stored.person === card.dataset.person && known.split(" ").includes(String(stored.credential))));
  // A key of somebody else stays where it is until its owner signs in; one that was revoked goes.
  if (stored && known !== undefined && !mine && stored.person === card.dataset.person) await forget();
  if (!mine) stored = undefined;
  if (stored && document.body.dataset.now) {
    stored.offset = serverOffset();
    await save(stored);
  }
  if (!stored) {
    state(known === undefined ? "empty" : "new");
    card.querySelector<HTMLElement>("[data-enrol]")?.addEventListener("click", () => void enrol(card));
    return;
  }
  show(card, box, stored);
}

function show(card: HTMLElement, box: HTMLElement, stored: Stored): void {
  card.dataset.state = "ready";
  for (const node of card.querySelectorAll("[data-label]")) node.textContent = stored.label;
  keep(box, card.querySelector("[data-left]"), stored, stored.offset);
}

async function enrol(card: HTMLElement): Promise<void> {
  const button = card.querySelector<HTMLButtonElement>("[data-enrol]");
  const box = card.querySelector<HTMLElement>("[data-qr]");
  if (!button || !box) return;
  button.disabled = true;
  const answer = await fetch(button.dataset.enrol ?? "", { method: "POST", headers: { "X-CSRFToken": token(), Accept: "application/json" } });
  if (!answer.ok) {
    const problem = (await answer.json().catch(() => ({}))) as { detail?: string; errors?: { message: string }[] };
    const words = (problem.errors ?? []).map((one) => one.message).join(" ") || problem.detail || String(answer.status);
    for (const node of card.querySelectorAll("[data-problem]")) node.textContent = words;
    button.disabled = false;
    return;
  }
  const given = (await answer.json()) as Given;
  const stored: Stored = {
    person: card.dataset.person ?? "",
    credential: given.credential,
    label: given.label,
    head: bytes(given.head),
    key: await importKey(bytes(given.key)),
    size: given.size,
    step: given.step,
    offset: serverOffset(),
  };
  await save(stored);
  show(card, box, stored);
}

async function visitorCode(card: HTMLElement): Promise<void> {
  const source = document.getElementById("visitor-code");
  const box = card.querySelector<HTMLElement>("[data-qr]");
  if (!source || !box || !("subtle" in crypto)) return;
  const given = JSON.parse(source.textContent ?? "{}") as Given;
  const code: Code = { head: bytes(given.head), key: await importKey(bytes(given.key)), size: given.size, step: given.step };
  keep(box, card.querySelector("[data-left]"), code, serverOffset());
  for (const node of card.querySelectorAll<HTMLElement>("[data-with-script]")) node.hidden = false;
}

// Held for two seconds, by finger or by key: then the form is sent or the number is called.
const HOLD = 2000;
function holdable(button: HTMLElement): void {
  let timer = 0;
  const start = (): void => {
    if (timer) return;
    button.classList.add("held");
    timer = window.setTimeout(() => {
      stop();
      navigator.vibrate?.(200);
      const form = button.closest("form");
      if (button instanceof HTMLAnchorElement) location.href = button.href;
      else form?.requestSubmit();
    }, HOLD);
  };
  const stop = (): void => {
    window.clearTimeout(timer);
    timer = 0;
    button.classList.remove("held");
  };
  button.addEventListener("pointerdown", start);
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(name, stop);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("click", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    start();
  });
  button.addEventListener("keyup", stop);
}

function read(): void {
  if (!("speechSynthesis" in window)) return;
  speechSynthesis.cancel();
  for (const node of document.querySelectorAll<HTMLElement>("[data-say]")) {
    const said = new SpeechSynthesisUtterance(node.dataset.say || node.textContent || "");
    said.lang = document.documentElement.lang;
    said.rate = 0.85;
    speechSynthesis.speak(said);
  }
}

async function share(button: HTMLElement): Promise<void> {
  const url = button.dataset.share ?? "";
  const text = button.dataset.shareText ?? "";
  if (navigator.share) {
    await navigator.share({ text, url }).catch(() => undefined);
    return;
  }
  await navigator.clipboard.writeText(`${text} ${url}`);
  button.classList.add("done");
  const done = button.querySelector<HTMLElement>("[data-done]");
  if (done) done.hidden = false;
}

for (const card of document.querySelectorAll<HTMLElement>("[data-phone-code]")) void phoneCode(card);
for (const card of document.querySelectorAll<HTMLElement>("[data-visitor-code]")) void visitorCode(card);
for (const button of document.querySelectorAll<HTMLElement>("[data-hold]")) holdable(button);
for (const button of document.querySelectorAll<HTMLElement>("[data-speak]")) {
  if ("speechSynthesis" in window) button.addEventListener("click", read);
  else button.hidden = true;
}
for (const button of document.querySelectorAll<HTMLElement>("[data-share]")) button.addEventListener("click", () => void share(button));
if (document.querySelector("[data-speak-at-once]") && !sessionStorage.getItem("said")) {
  sessionStorage.setItem("said", "1");
  read();
}
const worker = document.body.dataset.worker;
if (worker && "serviceWorker" in navigator) void navigator.serviceWorker.register(worker, { scope: document.body.dataset.workerScope });
