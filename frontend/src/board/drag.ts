import { element, type Gantt } from "./gantt";
import type { Answer, Day } from "./types";
import { clockOf, say, send } from "./words";

interface Calls {
  given(visit: number, number: number): void;
  refused(visit: number, text: string): void;
}

interface Who {
  practitioner: number;
  possible: boolean;
  clock: string;
  text: string;
}

const STEP = 5;
const SNAP = 12;

/** Moves a visit to somebody or to another time, by the pointer or by the arrow keys: green fits, red says why not. */
export class Drag {
  active = false;
  private visit = 0;
  private task = 0;
  private person = 0;
  private minute = 0;
  private grip = 0;
  private ghost: HTMLElement | null = null;
  private hint: HTMLElement | null = null;
  private asked = 0;
  private answered = new Map<string, Answer>();
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private source: HTMLElement | null = null;

  constructor(
    private readonly gantt: Gantt,
    private readonly api: string,
    private readonly day: () => Day,
    private readonly calls: Calls,
  ) {
    document.addEventListener("keydown", (event) => this.key(event));
  }

  bind(): void {
    for (const bar of this.gantt.home.querySelectorAll<HTMLElement>(".gantt-bar")) {
      if (bar.dataset.state !== "underway" && bar.dataset.state !== "done") bar.addEventListener("pointerdown", (event) => this.press(event, bar));
    }
  }

  /** Open visits in the list are dragged into the day as well. */
  bindList(list: HTMLElement): void {
    list.addEventListener("dragstart", (event) => event.preventDefault());
    list.addEventListener("pointerdown", (event) => {
      const entry = (event.target as HTMLElement).closest<HTMLElement>(".board-entry.open");
      if (entry) this.press(event, entry);
    });
  }

  private press(event: PointerEvent, source: HTMLElement): void {
    if (event.button !== 0 || event.pointerType === "touch" || this.active) return;
    const [x, y] = [event.clientX, event.clientY];
    const box = source.getBoundingClientRect();
    const inside = source.classList.contains("gantt-bar");
    const move = (moved: PointerEvent): void => {
      if (!this.active && Math.hypot(moved.clientX - x, moved.clientY - y) > 4) {
        this.grip = inside ? x - box.left : 10;
        this.start(source);
      }
      if (this.active) {
        moved.preventDefault();
        const under = this.gantt.under(moved.clientX - this.grip + 8, moved.clientY);
        if (under) this.to(under.person, this.gantt.under(moved.clientX, moved.clientY)?.minute ?? under.minute, this.grip);
        else this.leave();
      }
    };
    const up = (): void => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", up);
      document.removeEventListener("pointercancel", up);
      if (this.active) {
        source.dataset.dragged = "1";
        setTimeout(() => delete source.dataset.dragged, 50);
        void this.drop();
      }
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", up);
    document.addEventListener("pointercancel", up);
  }

  private start(source: HTMLElement): void {
    this.active = true;
    this.source = source;
    this.visit = Number(source.dataset.visit);
    this.task = Number(source.dataset.task ?? 0);
    this.person = Number(source.dataset.person ?? 0);
    this.minute = -1;
    this.answered.clear();
    document.body.classList.add("dragging-visit");
    source.classList.add("moving");
    this.gantt.select(this.visit);
    this.ghost = element("div", "ghost");
    const row = this.gantt.visit(this.visit);
    this.ghost.append(element("b", "", row?.patient ?? ""), element("small"));
    this.hint = element("div", "drag-hint");
    document.querySelector(".board")?.append(this.hint);
    void this.people();
  }

  /** Whose lines can take it at all: coloured as soon as the answer is here. */
  private async people(): Promise<void> {
    const visit = this.visit;
    const answer = await fetch(`${this.api}visits/${visit}/who?task=${this.task}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || !this.active || visit !== this.visit) return;
    for (const one of (await answer.json()) as Who[]) {
      const line = this.gantt.rowOf(one.practitioner);
      line?.classList.add(one.possible ? "can" : "cannot");
      if (line) line.dataset.why = one.possible ? say("fits", { time: one.clock }) : one.text;
    }
    this.tell();
  }

  private snapped(minute: number): number {
    const row = this.gantt.visit(this.visit);
    const near = Math.round(minute / STEP) * STEP;
    if (!row) return near;
    const [first, last] = row.window;
    const slack = ((SNAP / this.gantt.pixels(60)) * 60) | 0;
    if (near < first && near >= first - slack) return first;
    if (near > last && near <= last + slack) return last;
    return near;
  }

  private to(person: number, minute: number, grip = 0): void {
    const start = this.snapped(minute - (grip / this.gantt.pixels(60)) * 60);
    if (person === this.person && start === this.minute && this.ghost?.isConnected) return;
    this.person = person;
    this.minute = start;
    const row = this.gantt.visit(this.visit);
    const track = this.gantt.rowOf(person)?.querySelector(".track");
    if (!row || !track || !this.ghost) return;
    this.gantt.lay(this.ghost, start, start + row.minutes);
    track.append(this.ghost);
    (this.ghost.lastChild as HTMLElement).textContent = clockOf(this.day().zero, start);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => void this.check(), 40);
    this.tell();
  }

  private leave(): void {
    this.ghost?.remove();
    this.person = 0;
    clearTimeout(this.waiting);
    this.tell();
  }

  private crew(): (number | null)[] {
    const row = this.gantt.visit(this.visit);
    const crew: (number | null)[] = Array.from({ length: row?.people ?? 1 }, () => null);
    for (const person of this.day().people) for (const bar of person.bars) if (bar.visit === this.visit) crew[bar.task] = person.id;
    const other = crew.indexOf(this.person);
    if (other >= 0 && other !== this.task) crew[other] = null;
    crew[this.task] = this.person;
    return crew;
  }

  /** When the first service would begin, where the second is dragged. */
  private start_at(): string {
    let minute = this.minute;
    if (this.task > 0) {
      const bars = this.day().people.flatMap((one) => one.bars.filter((bar) => bar.visit === this.visit));
      const first = bars.find((bar) => bar.task === 0);
      const own = bars.find((bar) => bar.task === this.task);
      if (first && own) minute -= own.start - first.start;
    }
    return new Date(new Date(this.day().zero).getTime() + minute * 60000).toISOString();
  }

  private async check(): Promise<void> {
    const key = `${this.person}@${this.minute}`;
    if (!this.person || this.answered.has(key)) return this.tell();
    const ticket = ++this.asked;
    const answer = await send(`${this.api}visits/${this.visit}/check`, { crew: this.crew(), start: this.start_at() });
    if (answer.ok) this.answered.set(key, answer.data as Answer);
    if (ticket === this.asked) this.tell();
  }

  /** Colour and words for where the visit is held now. */
  private tell(): void {
    if (!this.active || !this.hint || !this.ghost) return;
    const answer = this.answered.get(`${this.person}@${this.minute}`);
    const line = this.gantt.rowOf(this.person);
    this.ghost.classList.toggle("good", answer?.possible === true);
    this.ghost.classList.toggle("bad", answer?.possible === false);
    let text = "";
    if (!this.person) text = "";
    else if (!answer) text = line?.classList.contains("cannot") ? (line.dataset.why ?? "") : say("checking");
    else if (answer.fit) {
      const more = Math.round(answer.fit.more_travel);
      text = [
        say("fits", { time: answer.fit.clock }),
        more === 0 ? "" : say(more > 0 ? "way" : "less", { n: Math.abs(more) }),
        answer.fit.pushed.length ? say("pushes", { names: answer.fit.pushed.map((one) => one.name).join(", ") }) : "",
      ].filter(Boolean).join(" · ");
    } else text = answer.reasons.map((one) => one.text).join(" ");
    this.hint.className = `drag-hint${answer ? (answer.possible ? " good" : " bad") : ""}`;
    this.hint.hidden = !text;
    this.hint.textContent = text;
    const box = this.ghost.isConnected ? this.ghost.getBoundingClientRect() : null;
    if (box) {
      const low = box.bottom + 90 > window.innerHeight;
      this.hint.style.left = `${Math.min(box.left, window.innerWidth - 340)}px`;
      this.hint.style.top = low ? "" : `${box.bottom + 8}px`;
      this.hint.style.bottom = low ? `${window.innerHeight - box.top + 8}px` : "";
    }
    const status = document.getElementById("board-say");
    const name = this.day().people.find((one) => one.id === this.person)?.name ?? "";
    if (status && answer) status.textContent = `${name} ${clockOf(this.day().zero, this.minute)}: ${text}`;
  }

  private end(): void {
    this.active = false;
    clearTimeout(this.waiting);
    document.body.classList.remove("dragging-visit");
    this.source?.classList.remove("moving");
    this.ghost?.remove();
    this.hint?.remove();
    this.ghost = this.hint = null;
    for (const line of this.gantt.home.querySelectorAll<HTMLElement>(".can, .cannot")) {
      line.classList.remove("can", "cannot");
      delete line.dataset.why;
    }
  }

  private async drop(): Promise<void> {
    const { visit, person } = this;
    const wish = person && this.minute >= 0 ? { crew: this.crew(), start: this.start_at(), number: this.day().number } : null;
    this.end();
    if (!wish) return;
    const answer = await send(`${this.api}visits/${visit}/assign`, wish);
    if (answer.ok) this.calls.given(visit, (answer.data as { number: number }).number);
    else this.calls.refused(visit, answer.text);
  }

  /** Arrow keys on a visit of the day hold it; Enter gives it, Esc leaves it. */
  private key(event: KeyboardEvent): void {
    const bar = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>(".gantt .gantt-bar");
    if (!this.active && (!bar || !event.key.startsWith("Arrow") || event.ctrlKey || event.metaKey)) return;
    if (!this.active && bar) {
      if (bar.dataset.state === "underway" || bar.dataset.state === "done") return;
      event.preventDefault();
      const known = this.day().people.flatMap((one) => one.bars).find((one) => one.visit === Number(bar.dataset.visit) && one.task === Number(bar.dataset.task));
      this.start(bar);
      this.place(this.person, known?.start ?? this.gantt.from);
    }
    const people = this.day().people.map((one) => one.id);
    const at = people.indexOf(this.person);
    const steps: Record<string, () => void> = {
      ArrowLeft: () => this.place(this.person, this.minute - STEP),
      ArrowRight: () => this.place(this.person, this.minute + STEP),
      ArrowUp: () => this.place(people[Math.max(0, at - 1)], this.minute),
      ArrowDown: () => this.place(people[Math.min(people.length - 1, at + 1)], this.minute),
      Enter: () => void this.drop(),
      Escape: () => this.end(),
    };
    const step = steps[event.key];
    if (!step || !this.active) return;
    event.preventDefault();
    event.stopPropagation();
    step();
  }

  private place(person: number, minute: number): void {
    this.to(person, minute);
    this.gantt.rowOf(person)?.scrollIntoView({ block: "nearest" });
  }
}
