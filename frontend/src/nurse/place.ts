import type { Position } from "./db";
import * as keep from "./keep";
import { write } from "./keep";

let last: Position | null = null;
let watch = 0;
let traced: number | null = null;
const EVERY = 15_000;
const STALE = 120_000;
const FRESH = 30_000;
const FLUSH = 120;

const from = (found: GeolocationPosition): Position => ({
  longitude: found.coords.longitude,
  latitude: found.coords.latitude,
  accuracy: Math.round(found.coords.accuracy),
  at: new Date(found.timestamp).toISOString(),
});

export const lastKnown = (): Position | null => last;

/** The last position while it still says where one is. */
export const recent = (): Position | null => (last && Date.now() - new Date(last.at).getTime() < FRESH ? last : null);

/** Where the phone is now; throws with the reason in the browser's words. */
export function locate(timeout = 15_000): Promise<Position> {
  return new Promise((resolve, reject) => {
    if (!("geolocation" in navigator)) return reject(new Error("geolocation"));
    navigator.geolocation.getCurrentPosition(
      (found) => {
        last = from(found);
        resolve(last);
      },
      (error) => reject(new Error(error.message || String(error.code))),
      { enableHighAccuracy: true, timeout, maximumAge: 10_000 },
    );
  });
}

/** While a visit is open the position is followed, so that a call for help has it at once. It is kept nowhere, unless the
 *  institution records ways and the nurse was told (`trace`). */
export function follow(): void {
  if (watch || !("geolocation" in navigator)) return;
  watch = navigator.geolocation.watchPosition(
    (found) => {
      last = from(found);
      if (traced !== null) void point(traced, last);
    },
    () => undefined,
    { enableHighAccuracy: true, maximumAge: 10_000 },
  );
}

export function trace(visit: number | null): void {
  traced = visit;
  if (visit !== null) follow();
}

export const tracing = (): boolean => traced !== null;

let pointed = 0;
let waiting: [number, number, number, number][] = [];
async function point(visit: number, at: Position): Promise<void> {
  const now = Date.now();
  if (now - pointed < EVERY) return;
  pointed = now;
  waiting.push([new Date(at.at).getTime(), at.longitude, at.latitude, at.accuracy]);
  await noted(visit);
  if (keep.ready() && keep.doing(visit).way.length >= FLUSH) await flush(visit);
}

/** Points of the way are written down encrypted; those that come while the phone is locked wait for the next PIN. */
async function noted(visit: number): Promise<void> {
  if (!keep.ready() || !waiting.length) return;
  const some = waiting.splice(0);
  await keep.note(visit, (doing) => doing.way.push(...some)).catch(() => waiting.unshift(...some));
}

/** The way so far as a line. */
export async function flush(visit: number): Promise<void> {
  await noted(visit);
  const { way } = keep.doing(visit);
  if (way.length) await write(visit, "trail", { points: way }, (doing) => { doing.way = []; });
}

/** The position for a call for help: what is known if it is not too old, else what comes within a moment. */
export async function atOnce(patience: number): Promise<Position | null> {
  if (last && Date.now() - new Date(last.at).getTime() < STALE) return last;
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), patience));
  return Promise.race([locate(patience).catch(() => null), late]).then((found) => found ?? last);
}
