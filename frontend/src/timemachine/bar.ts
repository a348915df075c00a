import { wall } from "../words";

interface Bars {
  since: number;
  until: number;
  counts: number[];
  marks: { id: number; t: number; severity: string }[];
}

const AXIS = 16;
const SEVERITY: Record<string, string> = { critical: "--critical", high: "--high-mark", medium: "--medium-mark", low: "--low-mark" };

/** A day as bars of what happened and marks of what was raised, with the playhead. */
export class DayBar {
  private bars: Bars | null = null;
  private head = 0;
  private drawn = 0;

  constructor(private canvas: HTMLCanvasElement, private moved: (at: number, done: boolean) => void) {
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.drag(event, false);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) this.drag(event, false);
    });
    canvas.addEventListener("pointerup", (event) => this.drag(event, true));
    new ResizeObserver(() => this.draw()).observe(canvas);
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }

  span(): { since: number; until: number } | null {
    return this.bars ? { since: this.bars.since * 1000, until: this.bars.until * 1000 } : null;
  }

  async load(url: string): Promise<void> {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    this.bars = (await answer.json()) as Bars;
    this.draw();
  }

  show(at: number): void {
    this.head = at;
    if (!this.drawn) {
      this.drawn = requestAnimationFrame(() => {
        this.drawn = 0;
        this.draw();
      });
    }
  }

  private drag(event: PointerEvent, done: boolean): void {
    if (!this.bars) return;
    const box = this.canvas.getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    this.moved((this.bars.since + share * (this.bars.until - this.bars.since)) * 1000, done);
  }

  private draw(): void {
    const bars = this.bars;
    const ratio = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    if (!bars || !width) return;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
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
    const head = this.head / 1000;
    const most = Math.max(1, ...bars.counts);
    const step = width / bars.counts.length;
    const past = colour("--bar");
    const ahead = colour("--bar-future");
    bars.counts.forEach((count, index) => {
      const tall = count ? Math.max(2, (count / most) * (base - 4)) : 1;
      pen.fillStyle = bars.since + (span * (index + 0.5)) / bars.counts.length > head ? ahead : past;
      pen.fillRect(index * step + 0.5, base - tall, Math.max(1, step - 1.5), tall);
    });
    for (const mark of bars.marks) {
      const low = mark.severity === "low";
      pen.fillStyle = colour(SEVERITY[mark.severity] ?? "--low-mark");
      pen.fillRect(x(mark.t) - 1.25, low ? base - 12 : 0, 2.5, low ? 12 : base);
    }
    pen.fillStyle = colour("--faint");
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "bottom";
    const every = width > 700 ? 2 : width > 420 ? 4 : 6;
    for (let hour = 0; hour < 24; hour += every) {
      const at = bars.since + (span * hour) / 24;
      pen.textAlign = hour ? "center" : "left";
      pen.fillText(`${String(wall(new Date(at * 1000)).getUTCHours()).padStart(2, "0")}:00`, x(at), height);
    }
    const position = Math.min(width - 2, Math.max(2, x(head)));
    pen.fillStyle = colour("--text");
    pen.fillRect(position - 1, 0, 2, base + 3);
    pen.beginPath();
    pen.roundRect(position - 7, 0, 14, 9, 3);
    pen.fill();
    this.canvas.setAttribute("aria-valuenow", String(Math.round(head - bars.since)));
  }
}
