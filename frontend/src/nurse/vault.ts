// The key of what the phone keeps: random, never extractable once in memory, and on the disk only wrapped by a key made
// of the PIN. Too many wrong PINs empty the phone. A short PIN holds off who finds the phone, not a laboratory that
// copies its disk: that is what the phone's own lock and disk encryption are for.
import * as db from "./db";
import type { Sealed } from "./db";

export interface Vault {
  id: "main";
  user: string;
  name: string;
  device: string;
  alarm: string;
  salt: Uint8Array<ArrayBuffer>;
  iterations: number;
  iv: Uint8Array<ArrayBuffer>;
  wrapped: ArrayBuffer;
  tries: number;
  /** Proves the phone where nobody is signed in (a call for help, or an account that was closed); it reads nothing. */
  token?: string;
  /** When the server last said that the day is this phone's, and until when it may be shown (ms since 1970). */
  asked?: number;
  until?: number;
}

const ITERATIONS = 600_000;
export const MOST_TRIES = 8;
export const SHORTEST_PIN = 6;
const text = new TextEncoder();
let key: CryptoKey | null = null;
let vault: Vault | null = null;

const random = (bytes: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(bytes));

async function wrapping(pin: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey("raw", text.encode(pin), "PBKDF2", false, ["deriveKey"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return crypto.subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["wrapKey", "unwrapKey"]);
}

const unwrapped = (kept: Vault, by: CryptoKey): Promise<CryptoKey> =>
  crypto.subtle.unwrapKey("raw", kept.wrapped, by, { name: "AES-GCM", iv: kept.iv }, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);

export const current = (): Vault | null => vault;
export const isOpen = (): boolean => key !== null;

export async function load(): Promise<Vault | null> {
  vault = (await db.get<Vault>("vault", "main")) ?? null;
  return vault;
}

/** Whether a PIN is too easy: too short, all the same, or a row of digits. */
export function weak(pin: string): boolean {
  if (!/^\d+$/.test(pin) || pin.length < SHORTEST_PIN) return true;
  const steps = new Set(Array.from(pin.slice(1), (digit, n) => Number(digit) - Number(pin[n])));
  return steps.size === 1 && [0, 1, -1].includes([...steps][0]);
}

export async function create(user: string, name: string, alarm: string, pin: string): Promise<void> {
  const salt = random(16);
  const iv = random(12);
  const by = await wrapping(pin, salt, ITERATIONS);
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
  const wrapped = await crypto.subtle.wrapKey("raw", made, by, { name: "AES-GCM", iv });
  vault = { id: "main", user, name, alarm, device: crypto.randomUUID(), salt, iterations: ITERATIONS, iv, wrapped, tries: 0 };
  key = await unwrapped(vault, by);
  await db.clear();
  await db.change({ store: "vault", put: vault });
}

/** "open", "wrong", or "wiped" after the last try that was allowed. */
export async function open(pin: string): Promise<"open" | "wrong" | "wiped"> {
  if (!vault) return "wrong";
  // Counted before it is tried: switching the phone off in between wins no try.
  vault.tries += 1;
  await db.change({ store: "vault", put: vault });
  try {
    key = await unwrapped(vault, await wrapping(pin, vault.salt, vault.iterations));
  } catch {
    if (vault.tries < MOST_TRIES) return "wrong";
    await wipe();
    return "wiped";
  }
  vault.tries = 0;
  await db.change({ store: "vault", put: vault });
  return "open";
}

export function lock(): void {
  key = null;
}

export async function wipe(): Promise<void> {
  key = null;
  vault = null;
  await db.clear();
}

/** Change what lies beside the key, in clear. */
export async function amend(changes: Partial<Pick<Vault, "name" | "alarm" | "token" | "asked" | "until">>): Promise<void> {
  if (!vault) return;
  vault = { ...vault, ...changes };
  await db.change({ store: "vault", put: vault });
}

/** Whether the day on this phone is too old to be shown. */
export const isOver = (now = Date.now()): boolean => Boolean(vault?.until && now > vault.until);

function unlocked(): CryptoKey {
  if (!key) throw new Error("locked");
  return key;
}

/** `where` (store and key) is bound to the bytes, so that none can be put in another's place. */
export async function sealBytes(bytes: BufferSource, where: string): Promise<Sealed> {
  const iv = random(12);
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: text.encode(where) }, unlocked(), bytes);
  return { iv, data };
}

export const unsealBytes = (kept: Sealed, where: string): Promise<ArrayBuffer> =>
  crypto.subtle.decrypt({ name: "AES-GCM", iv: kept.iv, additionalData: text.encode(where) }, unlocked(), kept.data);

export const seal = (value: unknown, where: string): Promise<Sealed> => sealBytes(text.encode(JSON.stringify(value)), where);

export async function unseal<T>(kept: Sealed, where: string): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await unsealBytes(kept, where))) as T;
}
