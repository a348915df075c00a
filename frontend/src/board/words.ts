import { block, wall } from "../words";

const own = (block<{ words: Record<string, string> }>("board-start")?.words ?? {}) as Record<string, string>;

/** A word of the board with its gaps filled. */
export function say(name: string, values: Record<string, string | number> = {}): string {
  return Object.entries(values).reduce((text, [key, value]) => text.replaceAll(`{${key}}`, String(value)), own[name] ?? name);
}

/** Minutes of the day, by the clock of the place. */
export function clockOf(zero: string, minutes: number): string {
  const shown = wall(new Date(new Date(zero).getTime() + minutes * 60000));
  return `${String(shown.getUTCHours()).padStart(2, "0")}:${String(shown.getUTCMinutes()).padStart(2, "0")}`;
}

/** One of ten colours that both themes bear; the number or name beside it says the same. */
const HUES = ["#0f7f98", "#7a5bb0", "#c4661a", "#2f8a55", "#b0406c", "#4067ad", "#87742a", "#a6482f", "#3f7f7a", "#6d6d9c"];
export const hue = (index: number): string => HUES[index % HUES.length];

/** Send JSON to the interface; what it refuses comes back as a sentence. */
export async function send(url: string, body: unknown, signal?: AbortSignal): Promise<{ ok: boolean; status: number; data: unknown; text: string }> {
  const token = (JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") as Record<string, string>)["X-CSRFToken"];
  const answer = await fetch(url, {
    method: "POST", signal, body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
  });
  const data = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string; errors?: { message: string }[] };
  const text = [data.detail ?? "", ...(data.errors ?? []).map((one) => one.message)].filter(Boolean).join(" ") || (data.title ?? "");
  return { ok: answer.ok, status: answer.status, data, text };
}
