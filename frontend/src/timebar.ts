import { dayAndClock, wall, word } from "./words";

interface Bars {
  since: number;
  until: number;
  counts: number[];
  marks: { id: number; t: number; severity: string }[];
}

export interface TimebarListener {
  /** Every frame while the hand or the clock moves; `at` in seconds, null when it is now again. */
  moved(at: number | null): void;
  /** Once the hand has stopped. */
  settled(at: number | null): void;
}

const AXIS = 16;

/** Bars of what happened, marks of what was raised, and a playhead to look back with. */
export class Timebar {
  private canvas: HTMLCanvasElement;
  private bars: Bars | null = null;
  private at: number | null = null;
  private playing = false;
  private speed = 60;
  private frame = 0;
  private last = 0;
  private settle = 0;

  constructor(private home: HTMLElement, private listener: TimebarListener) {
    this.canvas = home.querySelector("canvas") as HTMLCanvasElement;
    home.querySelector("[data-play]")?.addEventListener("click", () => this.toggle());
    home.querySelector("[data-now]")?.addEventListener("click", () => this.now());
    for (const button of home.querySelectorAll<HTMLElement>("[data-speed]")) {
      button.addEventListener("click", () => this.setSpeed(Number(button.dataset.speed)));
    }
    home.querySelector("[data-span]")?.addEventListener("change", () => void this.load());
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.drag(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) this.drag(event);
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    setInterval(() => {
      if (this.at === null && !document.hidden) void this.load();
    }, 15_000);
  }

  async load(): Promise<void> {
    const span = (this.home.querySelector("[data-span]") as HTMLSelectElement).value;
    const place = document.body.dataset.place;
    const answer = await fetch(`${this.home.dataset.url}?span=${span}${place ? `&place=${place}` : ""}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    this.bars = (await answer.json()) as Bars;
    this.draw();
  }

  /** Go to a moment (seconds); used when the address names one. */
  goto(at: number): void {
    this.set(at);
  }

  private key(event: KeyboardEvent): void {
    if (!this.bars) return;
    const step = (this.bars.until - this.bars.since) / 120;
    const moves: Record<string, number> = { ArrowLeft: -step, ArrowRight: step, PageDown: -10 * step, PageUp: 10 * step };
    if (event.key === "End") this.now();
    else if (event.key === "Home") this.set(this.bars.since);
    else if (event.key in moves) this.set((this.at ?? this.bars.until) + moves[event.key]);
    else return;
    event.preventDefault();
  }

  private drag(event: PointerEvent): void {
    if (!this.bars) return;
    const box = this.canvas.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    if (share > 0.995) this.now();
    else this.set(this.bars.since + share * (this.bars.until - this.bars.since));
  }

  private set(at: number): void {
    const end = Date.now() / 1000;
    if (at >= end) {
      this.now();
      return;
    }
    this.at = Math.max(at, this.bars?.since ?? at);
    if (!this.frame) this.frame = requestAnimationFrame((time) => this.step(time));
    clearTimeout(this.settle);
    this.settle = window.setTimeout(() => this.listener.settled(this.at), this.playing ? 900 : 220);
  }

  now(): void {
    this.playing = false;
    this.at = null;
    this.paintButton();
    clearTimeout(this.settle);
    this.draw();
    this.listener.moved(null);
    this.listener.settled(null);
  }

  private toggle(): void {
    if (this.at === null && this.bars) this.at = this.bars.until - (this.bars.until - this.bars.since) / 8;
    this.playing = !this.playing;
    this.last = 0;
    this.paintButton();
    if (this.playing && !this.frame) this.frame = requestAnimationFrame((time) => this.step(time));
    if (!this.playing && this.at !== null) this.listener.settled(this.at);
  }

  private paintButton(): void {
    const button = this.home.querySelector("[data-play]");
    button?.setAttribute("aria-label", word(this.playing ? "pause" : "play"));
    const use = button?.querySelector("use");
    use?.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*/, this.playing ? "#player-pause" : "#player-play"));
  }

  private setSpeed(speed: number): void {
    this.speed = speed;
    for (const button of this.home.querySelectorAll<HTMLElement>("[data-speed]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === speed));
    }
  }

  private step(time: number): void {
    this.frame = 0;
    if (this.playing && this.at !== null) {
      if (this.last) {
        const next = this.at + ((time - this.last) / 1000) * this.speed;
        if (next >= Date.now() / 1000) {
          this.now();
          return;
        }
        this.at = next;
      }
      this.last = time;
      this.frame = requestAnimationFrame((again) => this.step(again));
      if (Math.floor(time / 1000) !== Math.floor((time - 16) / 1000)) this.listener.settled(this.at);
    }
    this.draw();
    this.listener.moved(this.at);
  }

  private draw(): void {
    const bars = this.bars;
    const ratio = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    const shown = this.home.querySelector("[data-shown]");
    const known = this.home.querySelector<HTMLElement>("[data-known]");
    if (shown) shown.textContent = this.at === null ? word("now") : dayAndClock(new Date(this.at * 1000));
    if (known) known.hidden = this.at === null;
    if (!bars || !width) return;
    if (this.canvas.width !== Math.round(width * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const pen = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    const css = getComputedStyle(document.documentElement);
    const colour = (name: string): string => css.getPropertyValue(name).trim();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const base = height - AXIS;
    const span = bars.until - bars.since;
    const x = (at: number): number => ((at - bars.since) / span) * width;
    const head = this.at ?? bars.until;
    const most = Math.max(1, ...bars.counts);
    const step = width / bars.counts.length;
    bars.counts.forEach((count, index) => {
      const tall = count ? Math.max(2, (count / most) * (base - 4)) : 1;
      pen.fillStyle = bars.since + (span * (index + 0.5)) / bars.counts.length > head ? colour("--bar-future") : colour("--bar");
      pen.fillRect(index * step + 0.5, base - tall, Math.max(1, step - 1.5), tall);
    });
    for (const mark of bars.marks) {
      pen.fillStyle = colour(mark.severity === "critical" ? "--critical" : mark.severity === "high" ? "--high-mark" : mark.severity === "medium" ? "--medium-mark" : "--low-mark");
      pen.fillRect(x(mark.t) - 1.25, mark.severity === "low" ? base - 14 : 0, 2.5, mark.severity === "low" ? 14 : base);
    }
    this.axis(pen, bars, x, width, height, colour("--faint"));
    const position = Math.min(width - 2, Math.max(2, x(head)));
    pen.fillStyle = colour("--text");
    pen.fillRect(position - 1, 0, 2, base + 3);
    pen.beginPath();
    pen.roundRect(position - 6, 0, 12, 7, 2);
    pen.fill();
    this.canvas.setAttribute("aria-valuenow", String(Math.round(((head - bars.since) / span) * 100)));
    this.canvas.setAttribute("aria-valuetext", dayAndClock(new Date(head * 1000)));
  }

  private axis(pen: CanvasRenderingContext2D, bars: Bars, x: (at: number) => number, width: number, height: number, colour: string): void {
    const span = bars.until - bars.since;
    const step = [600, 1800, 3600, 7200, 14400, 21600, 86400].find((size) => span / size <= Math.max(3, width / 110)) ?? 86400;
    pen.fillStyle = colour;
    pen.font = "11px system-ui, sans-serif";
    pen.textBaseline = "bottom";
    const first = new Date(bars.since * 1000);
    const zone = Math.round((first.getTime() - wall(first).getTime()) / 1000);
    for (let at = Math.ceil((bars.since - zone) / step) * step + zone; at < bars.until; at += step) {
      const left = x(at);
      if (left > width - 60) break;
      const day = wall(new Date(at * 1000));
      const text = step >= 86400 ? `${day.getUTCMonth() + 1}-${day.getUTCDate()}` : `${String(day.getUTCHours()).padStart(2, "0")}:${String(day.getUTCMinutes()).padStart(2, "0")}`;
      pen.textAlign = left < 16 ? "left" : "center";
      pen.fillText(text, Math.max(0, left), height);
    }
    pen.textAlign = "right";
    pen.fillText(word("now"), width, height);
  }
}
