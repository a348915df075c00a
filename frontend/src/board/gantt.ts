import { clockOf, hue, say } from "./words";
import type { Bar, Day, Person, VisitRow } from "./types";

interface Calls {
  choose(visit: number): void;
  person(id: number): void;
  hover(person: number | null): void;
}

const NAMES = 132;

/** The day by person: shifts, ways, rests and visits on one scale of time. */
export class Gantt {
  day!: Day;
  from = 480;
  to = 1020;
  private rows = new Map<number, HTMLElement>();
  private bars = new Map<string, HTMLElement>();
  private line: HTMLElement = document.createElement("div");
  private shown = "";

  constructor(
    readonly home: HTMLElement,
    calls: Calls,
  ) {
    home.addEventListener("click", (event) => {
      const target = event.target as HTMLElement;
      const bar = target.closest<HTMLElement>(".gantt-bar");
      const name = target.closest<HTMLElement>(".who");
      if (bar && !bar.dataset.dragged) calls.choose(Number(bar.dataset.visit));
      else if (name) calls.person(Number(name.dataset.person));
    });
    home.addEventListener("pointerover", (event) => {
      const row = (event.target as HTMLElement).closest<HTMLElement>(".gantt-row");
      calls.hover(row ? Number(row.dataset.person) : null);
    });
    home.addEventListener("pointerleave", () => calls.hover(null));
  }

  visit(id: number): VisitRow | undefined {
    return this.day.visits.find((one) => one.id === id);
  }

  /** Per cent of the scale. */
  at(minutes: number): number {
    return (100 * (minutes - this.from)) / (this.to - this.from);
  }

  draw(day: Day): void {
    const focused = (document.activeElement as HTMLElement | null)?.dataset.key;
    this.day = day;
    const times = day.people.flatMap((one) => [...(one.shift[1] ? one.shift : []), ...one.bars.flatMap((bar) => [bar.start - bar.travel, bar.end])]);
    times.push(...day.visits.flatMap((one) => one.window));
    this.from = Math.floor(Math.min(...(times.length ? times : [480])) / 60) * 60;
    this.to = Math.ceil(Math.max(...(times.length ? times : [1020]), this.from + 240) / 60) * 60;
    this.rows.clear();
    this.bars.clear();
    this.home.style.setProperty("--hours", String((this.to - this.from) / 60));
    this.home.replaceChildren(this.head(), ...day.people.map((person, index) => this.row(person, index)));
    this.now(day.now);
    if (this.shown !== day.day) this.begin(day);
    if (focused) this.bars.get(focused)?.focus();
  }

  /** A day that is opened shows the present with the hour before it; another day from its start. */
  private begin(day: Day): void {
    this.shown = day.day;
    const share = this.line.hidden ? 0 : (day.now - 60 - this.from) / (this.to - this.from);
    this.home.scrollLeft = Math.max(0, share) * (this.home.scrollWidth - NAMES);
  }

  private head(): HTMLElement {
    const head = element("div", "gantt-head");
    head.append(element("span", "corner"));
    const scale = element("div", "scale");
    for (let minute = this.from; minute < this.to; minute += 60) {
      const hour = element("span", "", clockOf(this.day.zero, minute));
      hour.style.left = `${this.at(minute)}%`;
      scale.append(hour);
    }
    this.line = element("div", "now-line");
    this.line.append(element("b", "", ""));
    scale.append(this.line);
    head.append(scale);
    return head;
  }

  /** Put the line of the present at so many minutes of the day. */
  now(minutes: number): void {
    const here = minutes >= this.from && minutes <= this.to;
    this.line.hidden = !here;
    if (!here) return;
    this.line.style.left = `${this.at(minutes)}%`;
    this.line.style.height = `${this.home.scrollHeight}px`;
    (this.line.firstChild as HTMLElement).textContent = `${say("now")} ${clockOf(this.day.zero, minutes)}`;
  }

  private row(person: Person, index: number): HTMLElement {
    const row = element("div", "gantt-row");
    row.dataset.person = String(person.id);
    row.style.setProperty("--hue", hue(index));
    const who = element("button", "who") as HTMLButtonElement;
    who.type = "button";
    who.dataset.person = String(person.id);
    who.append(element("i", "", String(index + 1)), element("b", "", person.name), element("small", "", person.skills || person.title));
    who.title = `${person.name} · ${person.title} · ${person.skills} · ${Math.round(100 * person.used)}%`;
    const track = element("div", "track");
    if (person.shift[1]) {
      const shift = element("div", "shift");
      this.lay(shift, person.shift[0], person.shift[1]);
      track.append(shift);
    }
    for (const [start, end] of person.rests) {
      const rest = element("div", "rest");
      rest.title = `${say("rest")} ${clockOf(this.day.zero, start)}–${clockOf(this.day.zero, end)}`;
      this.lay(rest, start, end);
      track.append(rest);
    }
    for (const bar of person.bars) {
      if (bar.travel > 0) track.append(this.way(bar.start - bar.travel, bar.start, bar.travel));
      track.append(this.bar(person, bar));
    }
    const last = person.bars[person.bars.length - 1];
    if (last && person.way_home > 0) track.append(this.way(last.end, last.end + person.way_home, person.way_home));
    row.append(who, track);
    this.rows.set(person.id, row);
    return row;
  }

  private way(start: number, end: number, minutes: number): HTMLElement {
    const way = element("div", "way");
    way.title = say("travel", { n: Math.round(minutes) });
    this.lay(way, start, end);
    return way;
  }

  private bar(person: Person, bar: Bar): HTMLElement {
    const row = this.visit(bar.visit) as VisitRow;
    const made = element("button", `gantt-bar ${bar.state}`) as HTMLButtonElement;
    made.type = "button";
    made.dataset.visit = String(bar.visit);
    made.dataset.task = String(bar.task);
    made.dataset.person = String(person.id);
    made.dataset.key = `${bar.visit}.${bar.task}`;
    made.dataset.state = bar.state;
    this.lay(made, bar.start, bar.end);
    const time = clockOf(this.day.zero, bar.start);
    made.append(element("b", "", row.patient), element("small", "", `${time} ${row.service}`));
    const said = [row.patient, row.service, `${time}–${clockOf(this.day.zero, bar.end)}`, person.name, say("promised", { window: this.window(row) })];
    if (bar.state !== "planned") said.push(say(bar.state));
    if (bar.pinned) {
      made.classList.add("pinned");
      said.push(say("pinned"));
    }
    if (bar.late > 0) {
      made.classList.add("late");
      made.append(element("em", "", `+${bar.late}`));
      said.push(say("late", { n: bar.late }));
    }
    if (row.people > 1) made.classList.add("double");
    made.title = said.join(" · ");
    made.setAttribute("aria-label", said.join(", "));
    this.bars.set(made.dataset.key, made);
    return made;
  }

  window(row: VisitRow): string {
    return `${clockOf(this.day.zero, row.window[0])}–${clockOf(this.day.zero, row.window[1])}`;
  }

  lay(piece: HTMLElement, start: number, end: number): void {
    piece.style.left = `${this.at(start)}%`;
    piece.style.width = `${this.at(end) - this.at(start)}%`;
  }

  /** The promised window of a visit on every line, and what it is doubled with. */
  select(visit: number): void {
    for (const band of this.home.querySelectorAll(".window")) band.remove();
    for (const bar of this.bars.values()) bar.classList.toggle("chosen", Number(bar.dataset.visit) === visit);
    const row = this.visit(visit);
    if (!row) return;
    for (const line of this.rows.values()) {
      const band = element("div", "window");
      this.lay(band, row.window[0], Math.max(row.window[1], row.window[0] + 2));
      line.querySelector(".track")?.prepend(band);
    }
  }

  hover(person: number | null): void {
    for (const [id, row] of this.rows) row.classList.toggle("lit", id === person);
  }

  focus(visit: number): void {
    [...this.bars.values()].find((bar) => Number(bar.dataset.visit) === visit)?.focus();
  }

  barOf(visit: number): { name: string; clock: string } | null {
    for (const person of this.day.people) {
      const bar = person.bars.find((one) => one.visit === visit && one.task === 0);
      if (bar) return { name: person.name, clock: clockOf(this.day.zero, bar.start) };
    }
    return null;
  }

  rowOf(person: number): HTMLElement | undefined {
    return this.rows.get(person);
  }

  /** Whose line is at a height of the window, and which minute at a place across. */
  under(x: number, y: number): { person: number; minute: number } | null {
    for (const [id, row] of this.rows) {
      const box = row.getBoundingClientRect();
      const track = (row.querySelector(".track") as HTMLElement).getBoundingClientRect();
      if (y >= box.top && y <= box.bottom && x >= track.left - 8 && x <= track.right + 8) {
        return { person: id, minute: this.from + ((x - track.left) / track.width) * (this.to - this.from) };
      }
    }
    return null;
  }

  pixels(minutes: number): number {
    const track = this.home.querySelector<HTMLElement>(".track");
    return ((track?.clientWidth ?? this.home.clientWidth - NAMES) * minutes) / (this.to - this.from);
  }
}

export function element(tag: string, css = "", text = ""): HTMLElement {
  const made = document.createElement(tag);
  if (css) made.className = css;
  if (text) made.textContent = text;
  return made;
}
