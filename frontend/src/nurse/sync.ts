// Sending what waits and fetching the day: when the network is back, every 20 seconds while there is something to do, and by
// hand. Whatever breaks off is sent again; the server knows what it has.
import type { KeptMedia } from "./db";
import { serially } from "./dom";
import * as keep from "./keep";
import type { Answer } from "./keep";
import type { Bundle } from "./model";
import * as vault from "./vault";

export type State = "offline" | "sending" | "ready" | "signin" | "other" | "revoked" | "trouble";
export const API = "/api/homecare/encounters/";
const PIECE = 256 << 10;
const BATCH = 50;
const EVERY = 20_000;
const FRESH = 300_000;
export let state: State = "ready";
export let problem = "";
const turn = serially();
let fetched = 0;

class Stop extends Error {
  constructor(readonly why: State, said = "") {
    super(said);
  }
}

class Stale extends Stop {}

const cookie = (name: string): string => document.cookie.split("; ").find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";

const ours = (): string => `device=${vault.current()?.device ?? crypto.randomUUID()}&known=${keep.tag || "-"}`;

/** A request of this app; throws Stop where there is no network, or nobody is signed in. */
export async function ask(path: string, init: RequestInit = {}, patience = 20_000): Promise<Response> {
  const writes = init.method !== undefined && init.method !== "GET";
  // What proves that a write comes from here is a cookie that a read brings; a new sign-in may have taken it away.
  if (writes && !cookie("csrftoken")) await once(`bundle?${ours()}`, {}, patience);
  try {
    return await once(path, init, patience);
  } catch (stop) {
    if (!writes || !(stop instanceof Stale)) throw stop;
    await once(`bundle?${ours()}`, {}, patience);
    return once(path, init, patience);
  }
}

async function once(path: string, init: RequestInit, patience: number): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Accept", "application/json");
  if (init.method && init.method !== "GET") headers.set("X-CSRFToken", cookie("csrftoken"));
  if (typeof init.body === "string") headers.set("Content-Type", "application/json");
  let answer: Response;
  try {
    answer = await fetch(API + path, { ...init, headers, cache: "no-store", signal: AbortSignal.timeout(patience) });
  } catch {
    throw new Stop("offline");
  }
  if (answer.status === 401) throw new Stop("signin");
  if (answer.status === 403) {
    const said = (await answer.clone().json().catch(() => ({}))) as { type?: string; reason?: string };
    if (said.type?.endsWith(":csrf")) throw new Stale("signin");
    if (said.reason === "revoked") throw new Stop("revoked");
  }
  if (answer.status >= 502) throw new Stop("offline");
  return answer;
}

async function said(answer: Response): Promise<string> {
  const body = (await answer.json().catch(() => ({}))) as { title?: string; detail?: string; errors?: { message: string }[] };
  return (body.errors ?? []).map((one) => one.message).join(" ") || body.detail || body.title || String(answer.status);
}

function become(next: State, text = ""): void {
  if (state === next && problem === text) return;
  [state, problem] = [next, text];
  keep.tell();
}

/** Fetch the first day, before there is a PIN: who is signed in, and what is to be kept. */
export async function first(): Promise<{ user: string; language: string; tag: string; content: Bundle } | State> {
  try {
    const answer = await ask(`bundle?device=${crypto.randomUUID()}`);
    if (!answer.ok) return "trouble";
    return (await answer.json()) as { user: string; language: string; tag: string; content: Bundle };
  } catch (stop) {
    return stop instanceof Stop ? stop.why : "trouble";
  }
}

export function sync(force = false): Promise<void> {
  return turn(async () => {
    if (!vault.isOpen()) return;
    if (!navigator.onLine) return become("offline");
    const due = force || Date.now() - fetched > FRESH;
    if (!due && !keep.waiting && state === "ready") return;
    try {
      if (keep.waiting) become("sending");
      await sendLines();
      await sendPictures();
      if (due || state !== "ready") await fetchDay();
      become("ready");
    } catch (stop) {
      if (!(stop instanceof Stop)) return become("trouble", String(stop));
      if (stop.why === "revoked") await keep.forget();
      become(stop.why, stop.message);
    }
  });
}

async function sendLines(): Promise<void> {
  for (let left = await keep.lines(); left.length; left = left.slice(BATCH)) {
    const batch = left.slice(0, BATCH);
    const body = JSON.stringify({ device: vault.current()?.device, user: vault.current()?.user, sent_at: new Date().toISOString(), lines: batch });
    const answer = await ask("sync", { method: "POST", body });
    if (answer.status === 409) throw new Stop("other");
    if (!answer.ok) throw new Stop("trouble", await said(answer));
    await keep.answered(batch, ((await answer.json()) as { answers: Answer[] }).answers);
  }
}

async function sendPictures(): Promise<void> {
  for (const row of await keep.pictures()) await sendPicture(row);
}

async function sendPicture(row: KeptMedia): Promise<void> {
  const bytes = new Uint8Array(await vault.unsealBytes(row, `media:${row.id}`));
  const known = await ask(`media/${row.id}`);
  if (known.status === 404) return;
  if (!known.ok) throw new Stop("trouble", await said(known));
  let { received, kept } = (await known.json()) as { received: number; kept: boolean };
  for (let tries = 0; !kept; ) {
    const piece = bytes.slice(received, received + PIECE);
    const answer = await ask(`media/${row.id}/${received}`, { method: "PUT", body: piece, headers: { "Content-Type": "application/octet-stream" } }, 60_000);
    if (answer.status === 409 && tries++ < 3) {
      received = ((await answer.json()) as { received: number }).received;
    } else if (answer.status === 422 && tries++ < 2) {
      received = 0;
    } else if (!answer.ok) {
      await keep.pictureSent(row, true);
      throw new Stop("trouble", await said(answer));
    } else ({ received, kept } = (await answer.json()) as { received: number; kept: boolean });
  }
  await keep.pictureSent(row);
}

async function fetchDay(): Promise<void> {
  const answer = await ask(`bundle?device=${vault.current()?.device ?? ""}&known=${keep.tag}`);
  if (answer.ok && answer.status !== 204) {
    const found = (await answer.json()) as { user: string; tag: string; content: Bundle };
    if (found.user !== vault.current()?.user) throw new Stop("other");
    await keep.received(found.content, found.tag);
    const me = found.content.practitioners[0];
    await vault.rename(me.name, me.alarm_number);
  } else if (!answer.ok) throw new Stop("trouble", await said(answer));
  fetched = Date.now();
}

export function start(): void {
  addEventListener("online", () => void sync(true));
  addEventListener("offline", () => become("offline"));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) void sync(); });
  keep.news.addEventListener("written", () => void sync());
  setInterval(() => void sync(), EVERY);
}
