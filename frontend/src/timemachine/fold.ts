/** What a chunk of the past says of a moment; without page or network, so that it is tested against the server. */

export interface Columns {
  device: number[];
  property: string[];
  value: unknown[];
  valid: number[];
  known: number[];
}
export interface Said {
  kind: string;
  device: number;
  [field: string]: unknown;
}
export interface Mark {
  id: number;
  number: string;
  title: string;
  title_en: string;
  severity: string;
  place: number;
  path: string;
  longitude: number | null;
  latitude: number | null;
  device: number | null;
  opened: number;
  known: number;
  moves: [number, number, string][];
}
/** Times in the columns are milliseconds after `since`; `since`, `until` and those of cases are since 1970. */
export interface Chunk {
  since: number;
  until: number;
  key: Columns;
  later: Columns;
  changes: Columns;
  events: { t?: number[]; known?: number[]; says?: number[]; table?: Said[] };
  cases: Mark[];
}
export interface Held {
  value: unknown;
  valid: number;
  known: number;
}
export interface Happened {
  t: number;
  known: number;
  said: Said;
}

/** A fact that came this much after it happened is late. */
export const LATE = 60_000;
const OPEN = new Set(["new", "acknowledged", "dispatched"]);

/** Device → property → what holds at `at`: as known at `at`, or with `later` by all that was learned since. */
export function statesAt(chunk: Chunk, at: number, later: boolean): Map<number, Map<string, Held>> {
  const moment = at - chunk.since;
  const found = new Map<number, Map<string, Held>>();
  const take = (rows: Columns): void => {
    for (let i = 0; i < rows.device.length; i += 1) {
      const valid = rows.valid[i];
      if (valid > moment || (!later && rows.known[i] > moment)) continue;
      let device = found.get(rows.device[i]);
      if (!device) found.set(rows.device[i], (device = new Map()));
      const held = device.get(rows.property[i]);
      if (held && held.valid > valid) continue;
      device.set(rows.property[i], { value: rows.value[i], valid, known: rows.known[i] });
    }
  };
  take(chunk.key);
  if (later) take(chunk.later);
  take(chunk.changes);
  for (const device of found.values()) {
    for (const held of device.values()) {
      held.valid += chunk.since;
      held.known += chunk.since;
    }
  }
  return found;
}

/** What of a chunk happened in (from, to], newest first, where it was known by `known` (null: whenever). */
export function eventsIn(chunk: Chunk, from: number, to: number, known: number | null): Happened[] {
  const { t = [], known: learned = [], says = [], table = [] } = chunk.events;
  const found: Happened[] = [];
  for (let i = t.length - 1; i >= 0; i -= 1) {
    const happened = t[i] + chunk.since;
    const seen = learned[i] + chunk.since;
    if (happened > to || happened <= from || (known !== null && seen > known)) continue;
    found.push({ t: happened, known: seen, said: table[says[i]] });
  }
  return found;
}

/** The case's state at a moment; "" where nobody knew of it yet. */
export function caseAt(mark: Mark, at: number, later: boolean): string {
  if (mark.opened > at || (!later && mark.known > at)) return "";
  let state = "new";
  for (const [moved, known, after] of mark.moves) if (moved <= at && (later || known <= at)) state = after;
  return state;
}

export const isOpen = (state: string): boolean => OPEN.has(state);
