/** Data blocks that the server wrote into the page; JSON that no browser runs. */
export function block<T>(id: string): T | null {
  const text = document.getElementById(id)?.textContent;
  return text ? (JSON.parse(text) as T) : null;
}

const words = block<Record<string, string>>("words") ?? {};

/** A word in the reader's language. */
export const word = (name: string): string => words[name] ?? name;

export const english = document.documentElement.lang.startsWith("en");

/** The name of a thing in the reader's language. */
export function label(thing: { name?: string; name_en?: string; title?: string; title_en?: string }): string {
  const own = thing.name ?? thing.title ?? "";
  return english ? thing.name_en || thing.title_en || own : own;
}

const two = (n: number): string => String(n).padStart(2, "0");

const fields = new Intl.DateTimeFormat("en-CA", {
  timeZone: document.documentElement.dataset.timeZone || undefined,
  hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
});

/** The wall clock of the place at an instant, to be read with the UTC getters: the reader may sit in another zone. */
export function wall(at: Date): Date {
  const part = Object.fromEntries(fields.formatToParts(at).map(({ type, value }) => [type, value]));
  return new Date(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`);
}

/** The instant at which the place's wall clock shows a text such as "2026-11-23T18:42". */
export function instant(text: string): Date {
  const guess = new Date(`${text}Z`);
  return new Date(2 * guess.getTime() - wall(guess).getTime());
}

export function clock(at: Date): string {
  const shown = wall(at);
  return `${two(shown.getUTCHours())}:${two(shown.getUTCMinutes())}:${two(shown.getUTCSeconds())}`;
}

export function dayAndClock(at: Date): string {
  const shown = wall(at);
  const day = english
    ? shown.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" })
    : `${shown.getUTCMonth() + 1} 月 ${shown.getUTCDate()} 日`;
  return `${day} ${clock(at)}`;
}

export function remaining(seconds: number): string {
  const whole = Math.abs(Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  if (minutes >= 60) {
    const hours = Math.floor(minutes / 60);
    return english ? `${hours} h ${minutes % 60} min` : `${hours} 小时 ${minutes % 60} 分`;
  }
  return english ? `${minutes} min ${two(whole % 60)} s` : `${minutes} 分 ${two(whole % 60)} 秒`;
}
