import { clock, label } from "../words";
import { caseAt, type Happened, type Held, isOpen, LATE, type Mark } from "./fold";
import type { Door, Stage } from "./stage";

type Say = (name: string) => string;

const element = <K extends keyof HTMLElementTagNameMap>(name: K, css = "", text = ""): HTMLElementTagNameMap[K] => {
  const made = document.createElement(name);
  made.className = css;
  made.textContent = text;
  return made;
};

/** The lists beside the map. Each is written only when what it says has changed, so a finger finds its row again. */
export class Panes {
  private written = new Map<string, string>();
  private devices: Map<number, string>;

  constructor(private root: HTMLElement, private stage: Stage, private say: Say) {
    this.devices = new Map(stage.devices.map((device) => [device.id, label(device)]));
    for (const door of stage.doors) if (door.output === 0) this.devices.set(door.device, door.name);
  }

  private list(name: string, key: string, rows: () => HTMLElement[], empty: string): void {
    if (this.written.get(name) === key) return;
    this.written.set(name, key);
    const home = this.root.querySelector(`[data-list="${name}"]`) as HTMLElement;
    const made = rows();
    home.replaceChildren(...(made.length ? made : [element("li", "none", empty)]));
  }

  private count(name: string, value: number | string): void {
    const home = this.root.querySelector(`[data-count="${name}"]`);
    if (home && home.textContent !== String(value)) home.textContent = String(value);
  }

  doors(states: Map<number, Map<string, Held>>, recent: Happened[]): void {
    const alarms = new Map<string, string>();
    for (const one of recent) {
      if (one.said.kind !== "door.alarm" || one.said.cleared) continue;
      alarms.set(`${one.said.device}/${Number(one.said.door ?? 0)}`, String(one.said.alarm));
    }
    const rows = this.stage.doors.map((door) => this.door(door, states.get(door.device), alarms));
    rows.sort((a, b) => a.rank - b.rank || a.door.where.localeCompare(b.door.where, "zh", { numeric: true }) || a.door.name.localeCompare(b.door.name, "zh", { numeric: true }));
    const open = rows.filter((row) => row.state === "open").length;
    this.count("doors", rows.length ? `${open} / ${rows.length}` : "");
    this.list("doors", JSON.stringify(rows.map((row) => [row.door.device, row.door.property, row.state, row.since, row.late])), () =>
      rows.map((row) => {
        const li = element("li", row.late ? "late" : "");
        const name = element("span", "grow", row.door.name);
        if (row.door.where && !row.door.name.includes(row.door.where)) name.append(element("small", "", row.door.where));
        li.append(element("span", `dot ${row.look}`), name, element("span", `word ${row.look}`, row.word), element("time", "", row.since ? clock(new Date(row.since)) : ""));
        if (row.late) li.append(element("span", "tag late-tag", this.say("late")));
        return li;
      }), this.say("noDoors"));
  }

  private door(door: Door, held: Map<string, Held> | undefined, alarms: Map<string, string>) {
    const one = held?.get(door.property);
    const offline = held?.get("status")?.value === "offline";
    const alarm = alarms.get(`${door.device}/${door.output}`);
    const state = alarm === "forced" ? "forced" : offline ? "offline" : String(one?.value ?? "");
    const look = { forced: "critical", offline: "off", open: "high", closed: "good" }[state] ?? "low";
    const rank = { forced: 0, open: 1, offline: 2, closed: 4 }[state] ?? 3;
    const word = state ? this.say(state) : this.say("unknownState");
    const from = offline ? held?.get("status") : one;
    return { door, state, look, rank, word, since: from?.valid ?? 0, late: from ? from.known - from.valid > LATE : false };
  }

  events(recent: Happened[]): void {
    const rows = recent.filter((one) => !("plate" in one.said)).slice(0, 14);
    this.list("events", JSON.stringify(rows), () => rows.map((one) => this.event(one)), this.say("noEvents"));
  }

  private event(one: Happened): HTMLElement {
    const { said } = one;
    const late = one.known - one.t > LATE;
    const li = element("li", late ? "late" : "");
    const bad = said.granted === false || said.kind === "door.alarm";
    const what = element("span", "grow", this.devices.get(said.device) ?? "");
    what.append(element("small", "", this.words(said)));
    li.append(element("span", `dot ${bad ? "critical" : "good"}`), what, element("time", "", clock(new Date(one.t))));
    if (late) li.append(element("span", "tag late-tag", this.say("late")));
    return li;
  }

  private words(said: Happened["said"]): string {
    const parts: unknown[] =
      said.kind === "door.access"
        ? [this.say(said.granted ? "granted" : "refused"), said.credential && this.say(String(said.credential)), said.direction && this.say(String(said.direction))]
        : said.kind === "door.alarm"
          ? [this.say("door.alarm"), this.say(String(said.alarm))]
          : [said.object && this.say(String(said.object)), this.say(said.kind), said.line ?? said.zone, said.direction && this.say(String(said.direction))];
    return parts.filter(Boolean).join(" · ");
  }

  cars(hour: Happened[]): void {
    const rows = hour.filter((one) => "plate" in one.said);
    this.count("cars", rows.length || "");
    this.list("cars", JSON.stringify(rows.slice(0, 40)), () =>
      rows.slice(0, 40).map((one) => {
        const late = one.known - one.t > LATE;
        const li = element("li", late ? "late" : "");
        const what = element("span", "grow");
        what.append(element("span", "plate", String(one.said.plate)), element("small", "", [one.said.class && this.say(String(one.said.class)), this.devices.get(one.said.device)].filter(Boolean).join(" · ")));
        li.append(what, element("span", "word", one.said.direction ? this.say(String(one.said.direction)) : ""), element("time", "", clock(new Date(one.t))));
        return li;
      }), this.say("noCars"));
  }

  cases(marks: Mark[], at: number, later: boolean): Mark[] {
    const open = marks.filter((mark) => isOpen(caseAt(mark, at, later)));
    this.count("cases", open.length);
    this.list("cases", JSON.stringify(open.map((mark) => [mark.id, caseAt(mark, at, later), mark.severity])), () =>
      open.map((mark) => {
        const li = element("li", mark.known - mark.opened > LATE ? "late" : "");
        const link = element("a", "case-row");
        link.href = `/cases/${mark.id}?at=${encodeURIComponent(new Date(at).toISOString())}`;
        link.dataset.case = String(mark.id);
        const what = element("span", "grow", label(mark));
        what.append(element("small", "", [this.say(caseAt(mark, at, later)), mark.device ? this.devices.get(mark.device) : "", mark.number].filter(Boolean).join(" · ")));
        link.append(element("span", `dot ${mark.severity}`), what, element("time", "", clock(new Date(mark.opened))));
        li.append(link);
        return li;
      }), this.say("noCases"));
    return open;
  }

  /** Written anew at the next call, for what depends on more than its rows. */
  forget(): void {
    this.written.clear();
  }
}
