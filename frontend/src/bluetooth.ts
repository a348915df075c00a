// What cuffs and glucose meters send over Bluetooth (GATT: Blood Pressure 0x1810, Glucose 0x1808), as numbers.

/** IEEE 11073 SFLOAT: a signed 4-bit exponent and a signed 12-bit mantissa, little-endian; NaN where it says so. */
export function sfloat(view: DataView, offset: number): number {
  const raw = view.getUint16(offset, true);
  const special = raw & 0x0fff;
  if (special >= 0x07fe && special <= 0x0802 && raw >> 12 === 0) return special === 0x07fe ? Infinity : special === 0x0802 ? -Infinity : NaN;
  const mantissa = special >= 0x0800 ? special - 0x1000 : special;
  const high = raw >> 12;
  const exponent = high >= 8 ? high - 16 : high;
  // A power of ten below one is not exact in binary: divide instead.
  return exponent < 0 ? mantissa / 10 ** -exponent : mantissa * 10 ** exponent;
}

/** The device's own clock (no zone: the phone's is taken); null where it was never set. */
function stamp(view: DataView, offset: number): Date | null {
  const year = view.getUint16(offset, true);
  if (year < 2000) return null;
  const [month, day, hour, minute, second] = [2, 3, 4, 5, 6].map((n) => view.getUint8(offset + n));
  return new Date(year, month - 1, day, hour, minute, second);
}

export interface BloodPressure {
  systolic: number;
  diastolic: number;
  pulse: number | null;
  at: Date | null;
  /** The cuff's own doubts: "moved", "loose", "irregular", "position". */
  doubts: string[];
}
const DOUBTS: [number, string][] = [[1, "moved"], [2, "loose"], [4, "irregular"], [32, "position"]];
const KPA = 7.500616827;

/** Characteristic 0x2A35, Blood Pressure Measurement; null for one that holds no pressures. */
export function bloodPressure(view: DataView): BloodPressure | null {
  const flags = view.getUint8(0);
  const factor = flags & 1 ? KPA : 1;
  const [systolic, diastolic] = [sfloat(view, 1) * factor, sfloat(view, 3) * factor];
  if (!Number.isFinite(systolic) || !Number.isFinite(diastolic)) return null;
  let offset = 7;
  let at: Date | null = null;
  if (flags & 2) {
    at = stamp(view, offset);
    offset += 7;
  }
  let pulse: number | null = null;
  if (flags & 4) {
    const found = sfloat(view, offset);
    pulse = Number.isFinite(found) ? Math.round(found) : null;
    offset += 2;
  }
  if (flags & 8) offset += 1;
  const status = flags & 16 ? view.getUint16(offset, true) : 0;
  const doubts = DOUBTS.filter(([bit]) => status & bit).map(([, name]) => name);
  return { systolic: Math.round(systolic), diastolic: Math.round(diastolic), pulse, at, doubts };
}

export interface Glucose {
  glucose: number;
  at: Date | null;
}
const GRAMS_PER_MOL = 180.156;

/** Characteristic 0x2A18, Glucose Measurement, in mmol/L; null for one without a concentration. */
export function glucose(view: DataView): Glucose | null {
  const flags = view.getUint8(0);
  let at = stamp(view, 3);
  let offset = 10;
  if (flags & 1) {
    const minutes = view.getInt16(offset, true);
    if (at) at = new Date(at.getTime() + minutes * 60_000);
    offset += 2;
  }
  if (!(flags & 2)) return null;
  const found = sfloat(view, offset);
  if (!Number.isFinite(found)) return null;
  // mol/L, or kg/L: both say mmol/L in the end.
  const value = flags & 4 ? found * 1000 : (found * 1_000_000) / GRAMS_PER_MOL;
  return { glucose: Math.round(value * 10) / 10, at };
}

/** An id made of what was measured, so that the same reading fetched twice is one (a UUID of version 8). */
export async function idOf(device: string, view: DataView): Promise<string> {
  const name = new TextEncoder().encode(device);
  const all = new Uint8Array(name.length + view.byteLength);
  all.set(name);
  all.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), name.length);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all)).slice(0, 16);
  digest[6] = (digest[6] & 0x0f) | 0x80;
  digest[8] = (digest[8] & 0x3f) | 0x80;
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
