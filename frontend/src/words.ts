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

export const clock = (at: Date): string => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

export function dayAndClock(at: Date): string {
  const day = english
    ? at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })
    : `${at.getMonth() + 1} 月 ${at.getDate()} 日`;
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
