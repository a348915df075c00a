import type { Position } from "./db";

export interface Both {
  zh: string;
  en: string;
}
export interface Item extends Both {
  code: string;
  phase: string;
  must: boolean;
}
export interface Quantity extends Both {
  code: string;
  unit: string;
  least: number;
  most: number;
  decimals: number;
}
export interface Practitioner {
  id: number;
  name: string;
  title: Both;
  institution: Both;
  time_zone: string;
  radius: number;
  alarm_number: string;
  trace: boolean;
}
export interface Material {
  name: string;
  name_en: string;
  quantity: number;
  unit: string;
}
export interface Visit {
  id: number;
  number: string;
  state: string;
  day: string;
  practitioner: number;
  starts_at: string;
  /** From when on the patient was promised it; `starts_at` is when the plan has it. */
  promised_at: string;
  ends_at: string;
  latest_at: string;
  with: string[];
  patient: { name: string; born: string; sex: string; allergies: string; conditions: string; flags: Both; access: string };
  home: Both;
  position: [number, number] | null;
  service: Both & { code: string; version: number; what: Both; minutes: number; consent: Both; materials: Material[] };
  checklist: string[];
  checklist_name: string;
  assessment: { decision: string; last_day: string; scores: { name: Both; total: number; most: number; band: Both | null }[] } | null;
  encounter: { state: string; in_at: string | null; out_at: string | null; entries: Record<string, { number: number; content: Content }> } | null;
  last: { at: string; values: Record<string, number>; area: number | null } | null;
  against: Both[];
}
export interface Bundle {
  practitioners: Practitioner[];
  checklists: { name: string; items: Item[] }[];
  vitals: Quantity[];
  contexts: (Both & { code: string })[];
  most_bytes: number;
  /** What has to be there before the check-out. */
  needed: string[];
  /** Metres: a fix that is less exact says no more of being near. */
  trusted_accuracy: number;
  /** A check-in so long before the promised time is asked about, and looked at by the coordinator. */
  early_minutes: number;
  /** How long the day may be shown without having asked the server again. */
  keep_hours: number;
  visits: Visit[];
}
export type Content = Record<string, unknown>;

export interface Shot {
  id: string;
  at: string;
  subject: string;
  thumb: string;
  area: number | null;
  sent: boolean;
}
/** What was done of a visit on this phone: enough to go on after a reload, and to see afterwards what went out. */
export interface Doing {
  id: number;
  sequence: number;
  done: Record<string, { at: string; content: Content }>;
  numbers: Record<string, number>;
  vitals: { at: string; values: Record<string, number> }[];
  photos: Shot[];
  addenda: { at: string; text: string }[];
  inAt: string | null;
  outAt: string | null;
  missed: string;
  traced: boolean;
  way: [number, number, number, number][];
  last: Position | null;
  title: string;
}
export interface Line {
  id: string;
  visit: number;
  sequence: number;
  kind: string;
  at: string;
  content: Content;
  base: number | null;
}
/** A line that was not simply kept, until the nurse knows what became of it. `result`: "held" (nothing to tell yet),
 *  "conflict", "refused", "applied" (it had waited, and is kept now) or "settled" (`detail` is what was decided).
 *  `seen` is the result that was told and understood. */
export interface Trouble {
  id: string;
  visit: number;
  kind: string;
  at: string;
  result: string;
  seen?: string;
  title: string;
  detail: string;
  line: Line;
}

export const fresh = (id: number, title: string): Doing => ({
  id, title, sequence: 0, done: {}, numbers: {}, vitals: [], photos: [], addenda: [], inAt: null, outAt: null, missed: "", traced: false, way: [], last: null,
});

/** A UUID of version 7 (RFC 9562): its order is that of time. */
export function uuid7(now = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let n = 0; n < 6; n++) bytes[n] = Math.floor(now / 2 ** (8 * (5 - n))) & 0xff;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export async function sha256(bytes: BufferSource): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Metres between two positions (longitude, latitude). */
export function metres(a: [number, number], b: [number, number]): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const chord = Math.sin(radians(b[1] - a[1]) / 2) ** 2 + Math.cos(radians(a[1])) * Math.cos(radians(b[1])) * Math.sin(radians(b[0] - a[0]) / 2) ** 2;
  return 2 * 6_371_008.8 * Math.asin(Math.sqrt(Math.min(1, chord)));
}
