// Sending what waits and fetching the day: when the network is back, every 20 seconds while there is something to do, and by
// hand. Whatever breaks off is sent again; the server knows what it has.
import type { KeptMedia } from "./db";
import { serially } from "./dom";
import * as keep from "./keep";
import type { Answer, Open } from "./keep";
import type { Bundle } from "./model";
import * as vault from "./vault";

export type State = "offline" | "sending" | "ready" | "signin" | "other" | "revoked" | "trouble";
export const API = "/api/homecare/encounters/";
const PIECE = 256 << 10;
const BATCH = 50;
const EVERY = 20_000;
const FRESH = 300_000;
const HOUR = 3_600_000;
export let state: State = "ready";
export let problem = "";
const turn = serially();
let fetched = 0;
let asked = 0;

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

/** A request that the phone proves by itself, whoever is signed in: it reads nothing of any patient. */
export function askAsPhone(path: string, init: RequestInit = {}, patience = 20_000): Promise<Response> {
  const { device, token } = vault.current() ?? {};
  if (!token) throw new Stop("signin");
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Phone ${device}.${token}`);
  return once(`phone/${path}`, { ...init, headers, credentials: "omit" }, patience);
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

type Ask = typeof ask;

export function sync(force = false): Promise<void> {
  return turn(async () => {
    if (!vault.current()) return;
    await keep.expire();
    if (!keep.ready()) return standing();
    if (!navigator.onLine) return become("offline");
    const due = force || Date.now() - fetched > FRESH;
    if (!due && !keep.waiting && state === "ready") return;
    try {
      if (keep.waiting) become("sending");
      await sendLines(ask);
      await sendPictures(ask);
      if (due || state !== "ready") await fetchDay();
      await hear();
      become("ready");
    } catch (stop) {
      await stopped(stop);
    }
  });
}

async function stopped(stop: unknown): Promise<void> {
  // Locked in the middle: nothing was lost, it goes on after the next PIN.
  if (!keep.ready()) return;
  if (!(stop instanceof Stop)) return become("trouble", String(stop));
  const why = stop.why === "signin" && (await isRevoked()) ? "revoked" : stop.why;
  if (why !== "revoked") return become(why, stop.message);
  await keep.forget();
  become("revoked");
  await handIn().catch(() => undefined);
}

/** Who may not give care any more hands in what was not sent yet: the phone itself may, where their account is closed. */
async function handIn(): Promise<void> {
  await sendLines(askAsPhone);
  await sendPictures(askAsPhone);
  // What became of them is the coordinator's to see: the answers hold the lines, and these must not stay here.
  await keep.forget();
}

/** Whether the phone's owner must not give care any more; null where that cannot be known now. */
async function isRevoked(): Promise<boolean | null> {
  try {
    const answer = await askAsPhone("standing");
    return answer.ok ? ((await answer.json()) as { standing: string }).standing === "revoked" : null;
  } catch {
    return null;
  }
}

/** A locked phone asks now and then too: it takes no PIN to remove what must not be here any more. */
async function standing(): Promise<void> {
  if (!navigator.onLine || !vault.current()?.token || Date.now() - asked < FRESH) return;
  const revoked = await isRevoked();
  if (revoked === null) return;
  asked = Date.now();
  if (!revoked) return state === "revoked" ? become("ready") : undefined;
  await keep.forget();
  become("revoked");
}

/** What became of the lines that were not simply kept. */
async function hear(): Promise<void> {
  if (!keep.troubles.length) return;
  const answer = await ask(`sync/open?device=${vault.current()?.device ?? ""}`);
  if (answer.ok) await keep.heard((await answer.json()) as Open[]);
}

async function sendLines(ask: Ask): Promise<void> {
  for (let left = await keep.lines(); left.length; left = left.slice(BATCH)) {
    const batch = left.slice(0, BATCH);
    const body = JSON.stringify({ device: vault.current()?.device, user: vault.current()?.user, sent_at: new Date().toISOString(), lines: batch });
    const answer = await ask("sync", { method: "POST", body });
    if (answer.status === 409) throw new Stop("other");
    if (!answer.ok) throw new Stop("trouble", await said(answer));
    await keep.answered(batch, ((await answer.json()) as { answers: Answer[] }).answers);
  }
}

async function sendPictures(ask: Ask): Promise<void> {
  for (const row of await keep.pictures()) await sendPicture(row, ask);
}

async function sendPicture(row: KeptMedia, ask: Ask): Promise<void> {
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
    await vault.amend({ name: me.name, alarm: me.alarm_number });
  } else if (!answer.ok) throw new Stop("trouble", await said(answer));
  fetched = Date.now();
  await vault.amend({ asked: fetched, until: fetched + (keep.bundle?.keep_hours ?? 0) * HOUR });
  if (!vault.current()?.token) await enrol();
}

async function enrol(): Promise<void> {
  const answer = await ask("phone", { method: "POST", body: JSON.stringify({ device: vault.current()?.device }) });
  if (answer.ok) await vault.amend({ token: ((await answer.json()) as { token: string }).token });
}

export function start(): void {
  addEventListener("online", () => void sync(true));
  addEventListener("offline", () => become("offline"));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) void sync(); });
  keep.news.addEventListener("written", () => void sync());
  setInterval(() => void sync(), EVERY);
  void sync();
}
