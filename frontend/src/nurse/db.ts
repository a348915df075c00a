// What the phone keeps. Personal data lies in `kv`, `lines` and `media`, encrypted (vault.ts); in clear are only ids,
// order and states, and a nurse's own calls for help, which must go out from a locked phone too.

export interface Sealed {
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}
export interface KeptValue extends Sealed {
  key: string;
}
export interface KeptLine extends Sealed {
  id: string;
  visit: number;
  sequence: number;
}
/** How many lines of a visit this phone has written: what comes next counts on from here, whatever was removed meanwhile. */
export interface KeptCount {
  visit: number;
  sequence: number;
}
export interface KeptMedia extends Sealed {
  id: string;
  visit: number;
  /** "waiting" until it is sent; "refused" where its line was not taken. */
  state: string;
}
export interface KeptSos {
  id: string;
  pressed_at: string;
  visit: number | null;
  position: Position | null;
  number: string;
  ended: boolean;
}
export interface Position {
  longitude: number;
  latitude: number;
  accuracy: number;
  at: string;
}

/** What is of patients' visits, and goes when they must leave the phone; lines and pictures that wait are not in it. */
export const DAY = "kv";
const NAME = "shoufu-nurse";
const STORES: Record<string, string> = { vault: "id", kv: "key", lines: "id", media: "id", sos: "id", counts: "visit" };
let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 2);
    request.onupgradeneeded = () => {
      const there = request.result.objectStoreNames;
      for (const [name, keyPath] of Object.entries(STORES)) if (!there.contains(name)) request.result.createObjectStore(name, { keyPath });
    };
    request.onsuccess = () => {
      // A newer version of the app in another window changes the stores: this one lets go, and is loaded anew.
      request.result.onversionchange = () => { request.result.close(); location.reload(); };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error ?? new Error("no database"));
  });
  return opened;
}

type Change = { store: string; put?: unknown; remove?: IDBValidKey };

/** Puts and removes in one transaction that is on the disk when this returns: all of it or none. */
export async function change(...changes: Change[]): Promise<void> {
  if (!changes.length) return;
  const database = await open();
  await new Promise<void>((resolve, reject) => {
    const stores = [...new Set(changes.map((one) => one.store))];
    const transaction = database.transaction(stores, "readwrite", { durability: "strict" });
    for (const one of changes) {
      const store = transaction.objectStore(one.store);
      if (one.put !== undefined) store.put(one.put);
      else if (one.remove !== undefined) store.delete(one.remove);
    }
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new Error("not kept"));
  });
}

export async function get<T>(store: string, key: IDBValidKey): Promise<T | undefined> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const request = database.transaction(store).objectStore(store).get(key);
    request.onsuccess = () => resolve(request.result as T | undefined);
    request.onerror = () => reject(request.error);
  });
}

export async function all<T>(store: string): Promise<T[]> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const request = database.transaction(store).objectStore(store).getAll();
    request.onsuccess = () => resolve(request.result as T[]);
    request.onerror = () => reject(request.error);
  });
}

/** Empty stores, all of them by default. */
export async function clear(...stores: string[]): Promise<void> {
  const database = await open();
  const named = stores.length ? stores : Object.keys(STORES);
  await new Promise<void>((resolve, reject) => {
    const transaction = database.transaction(named, "readwrite", { durability: "strict" });
    for (const name of named) transaction.objectStore(name).clear();
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error);
  });
}
