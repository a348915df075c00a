import { toast } from "./toast";
import { word } from "./words";

/** A live event: what changed, where (path of the place), and its data. */
export interface LiveEvent {
  type: string;
  event?: string;
  id?: string;
  path?: string;
  data?: unknown;
  [name: string]: unknown;
}

type Listener = (event: LiveEvent) => void;
const listeners = new Map<string, Set<Listener>>();
let source: EventSource | null = null;
let lost = false;
const TYPES = ["case", "observation", "observations", "obs", "device", "notice", "figures", "resync"];

function mark(down: boolean): void {
  document.querySelector(".clock.live")?.classList.toggle("lost", down);
  if (down && !lost) toast(word("lost"), { bad: true });
  if (!down && lost) toast(word("back"));
  lost = down;
}

function hand(type: string, text: string): void {
  let data: LiveEvent;
  try {
    data = { ...(JSON.parse(text) as object), type } as LiveEvent;
  } catch {
    return;
  }
  for (const listener of listeners.get(type) ?? []) listener(data);
  for (const listener of listeners.get("*") ?? []) listener(data);
}

function connect(): void {
  const place = document.body.dataset.place;
  source = new EventSource(place ? `/live?place=${place}` : "/live");
  // The browser sends Last-Event-ID by itself when it connects again, so nothing in between is missed.
  let failures = 0;
  source.onopen = () => {
    failures = 0;
    mark(false);
  };
  source.onerror = () => {
    failures += 1;
    if (failures > 2) mark(true);
    if (source?.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
  };
  source.onmessage = (event) => hand("message", event.data as string);
  for (const type of TYPES) source.addEventListener(type, (event) => hand(type, (event as MessageEvent<string>).data));
}

/** Call `listener` for every live event of a type ("*": all); connects at the first use. */
export function onLive(type: string, listener: Listener): void {
  const set = listeners.get(type) ?? new Set();
  set.add(listener);
  listeners.set(type, set);
  if (!source) connect();
}
