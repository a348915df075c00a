// The day, what was done, and the lines that wait: in memory while the phone is open, encrypted on the disk always.
import * as db from "./db";
import type { KeptCount, KeptLine, KeptMedia, KeptValue } from "./db";
import { serially } from "./dom";
import { fresh, uuid7, type Bundle, type Content, type Doing, type Line, type Trouble, type Visit } from "./model";
import * as vault from "./vault";

export let bundle: Bundle | null = null;
export let tag = "";
export let troubles: Trouble[] = [];
export const doings = new Map<number, Doing>();
export const news = new EventTarget();
export let waiting = 0;
let loaded = false;
const turn = serially();

/** Another window of this app must not count the same lines: one writer at a time. */
const alone = <T>(act: () => Promise<T>): Promise<T> => turn(() => (navigator.locks ? navigator.locks.request("shoufu-nurse", act) as Promise<T> : act()));

export const tell = (): boolean => news.dispatchEvent(new Event("changed"));

const kept = async (key: string, value: unknown): Promise<{ store: string; put: KeptValue }> => ({
  store: "kv",
  put: { key, ...(await vault.seal(value, `kv:${key}`)) },
});

async function read<T>(key: string): Promise<T | undefined> {
  const found = await db.get<KeptValue>("kv", key);
  return found ? vault.unseal<T>(found, `kv:${key}`) : undefined;
}

export async function load(): Promise<void> {
  const day = await read<{ bundle: Bundle; tag: string }>("bundle");
  [bundle, tag] = day ? [day.bundle, day.tag] : [null, ""];
  troubles = (await read<Trouble[]>("troubles")) ?? [];
  doings.clear();
  for (const row of await db.all<KeptValue>("kv")) {
    if (row.key.startsWith("doing:")) {
      const doing = await vault.unseal<Doing>(row, `kv:${row.key}`);
      doings.set(doing.id, doing);
    }
  }
  await countFrom([...doings.values()].map((one) => ({ visit: one.id, sequence: one.sequence })));
  loaded = true;
  await count();
}

/** A phone that was set up before there were counts takes them from what it knows. */
async function countFrom(known: KeptCount[]): Promise<void> {
  const counted = new Map((await db.all<KeptCount>("counts")).map((one) => [one.visit, one.sequence]));
  await db.change(...known.filter((one) => one.sequence > (counted.get(one.visit) ?? 0)).map((one) => ({ store: "counts", put: one })));
}

/** Whether what is kept is in memory: before that nothing may be written over it. */
export const ready = (): boolean => loaded && vault.isOpen();

export function unload(): void {
  [bundle, tag, troubles, loaded] = [null, "", [], false];
  doings.clear();
}

/** How much waits to be sent; known without the key too. */
export async function count(): Promise<void> {
  const media = await db.all<KeptMedia>("media");
  waiting = (await db.all<KeptLine>("lines")).length + media.filter((one) => one.state === "waiting").length;
  tell();
}

export const visit = (id: number): Visit | undefined => bundle?.visits.find((one) => one.id === id);

/** What was done of a visit; begun from what the server has where another phone began it. */
export function doing(id: number): Doing {
  const found = doings.get(id);
  const known = visit(id);
  const made = found ?? fresh(id, known ? `${known.patient.name} · ${known.home.zh}` : String(id));
  if (known?.encounter && !found) {
    for (const [kind, entry] of Object.entries(known.encounter.entries)) {
      made.done[kind] = { at: known.encounter.in_at ?? "", content: entry.content };
      made.numbers[kind] = entry.number;
    }
    made.inAt = known.encounter.in_at;
    made.outAt = known.encounter.out_at;
    if (known.encounter.state === "cancelled") made.missed = "other";
  }
  doings.set(id, made);
  return made;
}

/** Write a line: it, what it does to the visit on this phone, and a picture's bytes are kept together or not at all. */
export function write(id: number, kind: string, content: Content, also: (doing: Doing) => void = () => undefined, media?: { id: string; bytes: ArrayBuffer }): Promise<void> {
  return alone(async () => {
    const fromDisk = await read<Doing>(`doing:${id}`);
    const state = structuredClone(fromDisk && fromDisk.sequence > doing(id).sequence ? fromDisk : doing(id));
    const at = new Date().toISOString();
    const counted = (await db.get<KeptCount>("counts", id))?.sequence ?? 0;
    state.sequence = Math.max(state.sequence, counted) + 1;
    const line: Line = { id: uuid7(), visit: id, sequence: state.sequence, kind, at, content, base: state.numbers[kind] ?? 0 };
    if (!["vitals", "photo", "trail", "addendum"].includes(kind)) state.done[kind] = { at, content };
    also(state);
    const row: KeptLine = { id: line.id, visit: id, sequence: line.sequence, ...(await vault.seal(line, `lines:${line.id}`)) };
    const changes: Parameters<typeof db.change> = [{ store: "lines", put: row }, await kept(`doing:${id}`, state), { store: "kv", remove: `draft:${id}:${kind}` }, { store: "counts", put: { visit: id, sequence: state.sequence } satisfies KeptCount }];
    if (media) {
      const put: KeptMedia = { id: media.id, visit: id, state: "waiting", ...(await vault.sealBytes(media.bytes, `media:${media.id}`)) };
      changes.push({ store: "media", put });
    }
    await db.change(...changes);
    doings.set(id, state);
    await count();
    news.dispatchEvent(new Event("written"));
  });
}

/** Change what this phone knows of a visit, without a line. */
export function note(id: number, change: (doing: Doing) => void): Promise<void> {
  return alone(async () => {
    const state = structuredClone(doing(id));
    change(state);
    await db.change(await kept(`doing:${id}`, state));
    doings.set(id, state);
  });
}

export const draft = (id: number, kind: string): Promise<Content | undefined> => read<Content>(`draft:${id}:${kind}`);

export async function saveDraft(id: number, kind: string, content: Content): Promise<void> {
  if (ready()) await db.change(await kept(`draft:${id}:${kind}`, content));
}

export async function lines(): Promise<Line[]> {
  const rows = (await db.all<KeptLine>("lines")).sort((a, b) => a.visit - b.visit || a.sequence - b.sequence);
  return Promise.all(rows.map((row) => vault.unseal<Line>(row, `lines:${row.id}`)));
}

export interface Answer {
  id: string;
  result: string;
  problem: Problem;
  number: number;
}
interface Problem {
  title?: string;
  detail?: string;
  reason?: string;
  errors?: { field: string; message: string }[];
}
/** What the server says of a line of this phone that was not simply kept. */
export interface Open {
  id: string;
  result: string;
  problem: Problem;
  settled_at: string | null;
  settled_note: string;
}
/** The work of a line in doubt is kept all the same; one in conflict otherwise is not. */
const DOUBT = "doubt";
const PASSED = 15 * 86_400_000;
const inWords = (problem: Problem): { title: string; detail: string } =>
  ({ title: problem.title ?? "", detail: (problem.errors ?? []).map((one) => one.message).join(" ") || (problem.detail ?? "") });
const lost = (line: Line, result: string, problem: Problem): boolean => line.kind === "photo" && (result === "refused" || (result === "conflict" && problem.reason !== DOUBT));

/** The server's answers: what it kept leaves the queue; what a person must look at is told, with the line itself. */
export function answered(sent: Line[], answers: Answer[]): Promise<void> {
  return alone(async () => {
    const changes: Parameters<typeof db.change> = [];
    const known = new Map(sent.map((line) => [line.id, line]));
    for (const answer of answers) {
      const line = known.get(answer.id);
      if (!line || answer.result === "later") continue;
      changes.push({ store: "lines", remove: line.id });
      const state = doings.get(line.visit);
      if (state && answer.number) {
        state.numbers[line.kind] = answer.number;
        changes.push(await kept(`doing:${line.visit}`, state));
      }
      if (["held", "conflict", "refused"].includes(answer.result)) {
        const told = { id: line.id, visit: line.visit, kind: line.kind, at: line.at, result: answer.result, ...inWords(answer.problem), line };
        troubles = [...troubles.filter((one) => one.id !== line.id), told];
        if (lost(line, answer.result, answer.problem)) changes.push(...(await refusePhoto(String(line.content.media))));
      }
    }
    changes.push(await kept("troubles", troubles));
    await db.change(...changes);
    await count();
  });
}

async function refusePhoto(id: string): Promise<Parameters<typeof db.change>> {
  const row = await db.get<KeptMedia>("media", id);
  return row ? [{ store: "media", put: { ...row, state: "refused" } }] : [];
}

/** What became later of the lines that were not simply kept. One that waited, and of which nothing is said, was kept. */
export function heard(rows: Open[]): Promise<void> {
  return alone(async () => {
    const known = new Map(rows.map((row) => [row.id, row]));
    const changes: Parameters<typeof db.change> = [];
    const after: Trouble[] = [];
    for (const one of troubles) {
      const row = known.get(one.id);
      if (!row) {
        if (one.result === "held") after.push({ ...one, result: "applied", title: "", detail: "" });
        else if (one.seen !== one.result || Date.now() - new Date(one.at).getTime() < PASSED) after.push(one);
      } else if (row.settled_at) after.push(one.result === "settled" ? one : { ...one, result: "settled", title: "", detail: row.settled_note });
      else if (row.result !== one.result) {
        after.push({ ...one, result: row.result, ...inWords(row.problem) });
        if (lost(one.line, row.result, row.problem)) changes.push(...(await refusePhoto(String(one.line.content.media))));
      } else after.push(one);
    }
    if (JSON.stringify(after) === JSON.stringify(troubles)) return;
    troubles = after;
    await db.change(...changes, await kept("troubles", troubles));
    await count();
  });
}

/** What the nurse is still to be told. */
export const untold = (): Trouble[] => troubles.filter((one) => one.result !== "held" && one.result !== one.seen);

/** Understood. A line that somebody is still to decide about comes back with what was decided. */
export function dismiss(id: string): Promise<void> {
  return alone(async () => {
    const last = (one: Trouble): boolean => ["applied", "settled"].includes(one.result);
    troubles = troubles.flatMap((one) => (one.id !== id ? [one] : last(one) ? [] : [{ ...one, seen: one.result }]));
    await db.change(await kept("troubles", troubles));
    tell();
  });
}

/** Pictures that are to be sent: those whose line is through. */
export async function pictures(): Promise<KeptMedia[]> {
  const unsent = new Set((await lines()).filter((line) => line.kind === "photo").map((line) => String(line.content.media)));
  return (await db.all<KeptMedia>("media")).filter((one) => one.state === "waiting" && !unsent.has(one.id));
}

export async function pictureSent(row: KeptMedia, refused = false): Promise<void> {
  if (refused) await db.change({ store: "media", put: { ...row, state: "refused" } });
  else {
    if (doings.has(row.visit)) await note(row.visit, (state) => state.photos.forEach((one) => { if (one.id === row.id) one.sent = true; }));
    await db.change({ store: "media", remove: row.id });
  }
  await count();
}

/** The day as the server has it now. What this phone did at visits that are in it no more, and sent, goes. */
export function received(found: Bundle, newTag: string): Promise<void> {
  return alone(async () => {
    [bundle, tag] = [found, newTag];
    const changes: Parameters<typeof db.change> = [await kept("bundle", { bundle, tag })];
    const unsent = new Set((await db.all<KeptLine>("lines")).map((line) => line.visit));
    for (const one of await db.all<KeptMedia>("media")) if (one.state === "waiting") unsent.add(one.visit);
    for (const id of [...doings.keys()]) {
      if (visit(id) || unsent.has(id)) continue;
      doings.delete(id);
      changes.push({ store: "kv", remove: `doing:${id}` });
    }
    await db.change(...changes);
    tell();
  });
}

/** Patients' data leaves the phone: signed out, not sent to homes any more, or too old. It takes no key. Lines and pictures
 *  that were not sent stay as they are, sealed, and so does the count of each visit's lines. */
export function forget(): Promise<void> {
  return alone(async () => {
    const gone = (await db.all<KeptMedia>("media")).filter((one) => one.state !== "waiting");
    const days = await db.all<KeptValue>(db.DAY);
    await db.change(...days.map((row) => ({ store: db.DAY, remove: row.key })), ...gone.map((one) => ({ store: "media", remove: one.id })));
    doings.clear();
    [bundle, tag, troubles] = [null, "", []];
    await count();
  });
}

/** Remove the day once it is too old; whether it was. */
export async function expire(): Promise<boolean> {
  if (!vault.isOver() || !(await db.all<KeptValue>(db.DAY)).length) return false;
  await forget();
  return true;
}
