// The call for help: held for a moment, by finger or key, on every screen, also on the locked one. It goes out at once with
// the last known position; without a network it is kept and tried every second, and a text message is offered.
import * as db from "./db";
import type { KeptSos } from "./db";
import { button, h, icon } from "./dom";
import { uuid7 } from "./model";
import * as place from "./place";
import { ask, askAsPhone } from "./sync";
import * as vault from "./vault";
import { clock, t } from "./words";

const HOLD = 1200;
const POSITION_WAIT = 500;
const RETRY = 1000;
const FOLLOW = 10_000;
let current: KeptSos | null = null;
let arrived: number | null = null;
let refused = "";
/** The last try did not get through, whatever the browser says of its network. */
let unreachable = false;
let closed = false;
let timer = 0;
let visitOf: () => { id: number; number: string } | null = () => null;
const overlay = h("dialog", { class: "sos-sheet", "aria-label": "SOS" });

export function holdable(): HTMLButtonElement {
  const bar = h("button", { type: "button", class: "sos", "aria-describedby": "sos-how" }, h("b", {}, "SOS"), h("span", { id: "sos-how" }, t("sos")));
  let held = 0;
  const stop = (): void => {
    clearTimeout(held);
    held = 0;
    bar.classList.remove("held");
  };
  const start = (): void => {
    if (held) return;
    bar.classList.add("held");
    held = window.setTimeout(() => {
      stop();
      navigator.vibrate?.(300);
      void press();
    }, HOLD);
  };
  bar.addEventListener("pointerdown", start);
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) bar.addEventListener(name, stop);
  bar.addEventListener("contextmenu", (event) => event.preventDefault());
  bar.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    start();
  });
  bar.addEventListener("keyup", stop);
  return bar;
}

async function press(): Promise<void> {
  if (!current || current.ended) {
    const visit = visitOf();
    current = { id: uuid7(), pressed_at: new Date().toISOString(), visit: visit?.id ?? null, position: place.lastKnown(), number: "", ended: false };
    [arrived, refused, closed] = [null, "", false];
    await db.change({ store: "sos", put: current });
  }
  closed = false;
  show();
  current.position = (await place.atOnce(POSITION_WAIT)) ?? current.position;
  await send();
  place.follow();
}

/** As who is signed in; where nobody is any more, as the phone itself. */
async function post(path: string, body: unknown): Promise<Response> {
  const request = { method: "POST", body: JSON.stringify(body) };
  try {
    return await ask(path, request, 5000);
  } catch (stop) {
    if (!["signin", "revoked"].includes((stop as { why?: string }).why ?? "")) throw stop;
    return askAsPhone(path, request, 5000);
  }
}

async function send(): Promise<void> {
  clearTimeout(timer);
  if (!current || current.ended) return;
  try {
    if (!current.number) {
      const { id, pressed_at, visit, position } = current;
      const answer = await post("sos", { id, pressed_at, visit, position });
      const found = (await answer.json()) as { case: string; detail?: string; title?: string };
      if (answer.ok) {
        arrived = Date.now() - new Date(pressed_at).getTime();
        [current.number, refused] = [found.case, ""];
        await db.change({ store: "sos", put: current });
      } else refused = found.detail ?? found.title ?? String(answer.status);
    } else {
      const position = await place.locate(5000).catch(() => null);
      if (position) {
        current.position = position;
        await post(`sos/${current.id}/position`, position);
      }
    }
    unreachable = false;
  } catch (stop) {
    const { why } = stop as { why?: string };
    unreachable = why === "offline";
    if (why === "signin") refused = t("sosSignin");
  }
  show();
  timer = window.setTimeout(() => void send(), current.number ? FOLLOW : RETRY);
}

function where(): string {
  const at = current?.position;
  return at ? `${at.latitude.toFixed(5)},${at.longitude.toFixed(5)} ±${at.accuracy}m` : t("sosNowhere");
}

function message(): string {
  const visit = visitOf();
  return t("sosText", { name: vault.current()?.name ?? "", visit: visit?.number ?? String(current?.visit ?? "–"), where: where(), time: clock(current?.pressed_at ?? new Date()) });
}

function show(): void {
  if (!current) return;
  const number = vault.current()?.alarm ?? "";
  const sent = current.number !== "";
  const state = sent ? t("sosSent") : refused || (unreachable || !navigator.onLine ? t("sosOffline") : t("sosSending"));
  overlay.dataset.state = sent ? "sent" : "waiting";
  overlay.replaceChildren(h("h2", {}, icon(sent ? "circle-check" : "sos"), state));
  if (sent) overlay.append(h("p", {}, t("sosCase", { n: current.number, s: arrived === null ? "–" : (arrived / 1000).toFixed(1) })));
  overlay.append(h("p", {}, t("sosWhere", { where: where() })));
  if (number) overlay.append(h("a", { class: "btn big", href: `sms:${number}?body=${encodeURIComponent(message())}` }, icon("message"), t("sosSms", { n: number })));
  else if (!sent) overlay.append(h("p", {}, t("sosNoNumber")));
  overlay.append(h("a", { class: "btn big", href: "tel:110" }, icon("phone-call"), t("sosCall")), button(t("sosEnd"), "check", () => void end(), "btn"));
  if (!overlay.isConnected) document.body.append(overlay);
  if (sent && closed && arrived !== null) closed = false;
  if (!overlay.open && !closed) overlay.showModal();
}

async function end(): Promise<void> {
  if (!current) return;
  // A call that did not get through yet goes on being tried: it happened.
  if (current.number) {
    current.ended = true;
    clearTimeout(timer);
    await db.change({ store: "sos", remove: current.id });
  }
  closed = !current.number;
  overlay.close();
}

/** Take up a call that a reload interrupted. */
export async function start(visit: typeof visitOf): Promise<void> {
  visitOf = visit;
  overlay.addEventListener("cancel", (event) => event.preventDefault());
  const open = (await db.all<KeptSos>("sos")).find((one) => !one.ended);
  if (!open) return;
  current = open;
  show();
  await send();
}
