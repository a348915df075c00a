import type Hls from "hls.js";
import { clock } from "../words";

interface View {
  device: number;
  name: string;
  picture: { url: string; t: number } | null;
  clip: { url: string; t: number } | null;
  recorded: boolean;
  player: string;
  playlist: string;
}

const AHEAD = 300;

/** What the cameras showed: still pictures at any speed, the recording or a clip of the chosen one at 1×. */
export class Pictures {
  private views: View[] = [];
  private chosen = 0;
  private busy = false;
  private again: [number, number, boolean, boolean] | null = null;
  private hls: Hls | null = null;
  private video: HTMLVideoElement | null = null;
  private source = "";
  private begins: { start: number; duration: number; moment: number }[] = [];

  constructor(private root: HTMLElement, private url: string, private say: (name: string) => string, chosen: number, private picked: (id: number) => void) {
    this.chosen = chosen;
    const select = root.querySelector("[data-camera]") as HTMLSelectElement;
    select.addEventListener("change", () => this.pick(Number(select.value)));
  }

  private pick(id: number): void {
    this.chosen = id;
    this.picked(id);
    this.stop();
    this.draw();
  }

  /** Ask for the pictures of a moment; while one question is on its way, only the newest waits behind it. */
  async show(at: number, speed: number, playing: boolean, later: boolean): Promise<void> {
    if (this.busy) {
      this.again = [at, speed, playing, later];
      return;
    }
    this.busy = true;
    try {
      const answer = await fetch(`${this.url}&at=${at / 1000}${later ? "&later=1" : ""}`, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        this.views = ((await answer.json()) as { cameras: View[] }).cameras;
        this.draw();
        await this.follow(at, speed, playing);
      }
    } catch {
      // The next moment asks again.
    } finally {
      this.busy = false;
    }
    const next = this.again;
    this.again = null;
    if (next) await this.show(...next);
  }

  private current(): View | undefined {
    return this.views.find((view) => view.device === this.chosen) ?? this.views.find((view) => view.picture ?? view.recorded) ?? this.views[0];
  }

  private draw(): void {
    const select = this.root.querySelector("[data-camera]") as HTMLSelectElement;
    const view = this.current();
    const names = this.views.map((one) => `${one.device}/${one.name}`).join();
    if (select.dataset.names !== names) {
      select.dataset.names = names;
      select.replaceChildren(...this.views.map((one) => new Option(one.name, String(one.device))));
    }
    if (view) select.value = String(view.device);
    select.hidden = this.views.length === 0;
    this.stills(view);
    const home = this.root.querySelector("[data-picture]") as HTMLElement;
    if (this.video) return;
    const key = `${view?.device}/${view?.picture?.url ?? ""}`;
    if (home.dataset.shown === key) return;
    home.dataset.shown = key;
    if (!view?.picture) {
      const line = document.createElement("p");
      line.className = "muted";
      line.textContent = this.say("noPicture");
      home.replaceChildren(line);
      return;
    }
    const image = new Image();
    image.src = view.picture.url;
    image.alt = `${view.name} ${clock(new Date(view.picture.t * 1000))}`;
    const caption = document.createElement("span");
    caption.className = "caption";
    caption.textContent = image.alt;
    home.replaceChildren(image, caption);
  }

  private stills(view: View | undefined): void {
    const home = this.root.querySelector("[data-stills]") as HTMLElement;
    const others = this.views.filter((one) => one !== view && one.picture).slice(0, 6);
    const key = others.map((one) => one.picture?.url).join();
    if (home.dataset.shown === key) return;
    home.dataset.shown = key;
    home.replaceChildren(
      ...others.map((one) => {
        const button = document.createElement("button");
        button.type = "button";
        button.title = one.name;
        const image = new Image();
        image.src = one.picture?.url ?? "";
        image.alt = one.name;
        button.append(image);
        button.addEventListener("click", () => this.pick(one.device));
        return button;
      }),
    );
  }

  /** Bring the video to the moment: it plays at 1× only; a pause shows the frame. */
  async follow(at: number, speed: number, playing: boolean): Promise<void> {
    const view = this.current();
    const may = speed === 1 && view !== undefined && (view.recorded || view.clip !== null);
    if (!may) {
      this.stop();
      return;
    }
    await this.open(view, at);
    const video = this.video;
    if (!video) return;
    const time = this.timeOf(at, view);
    if (time !== null && Math.abs(video.currentTime - time) > 1.5) video.currentTime = time;
    if (playing && video.paused) void video.play().catch(() => undefined);
    if (!playing && !video.paused) video.pause();
  }

  private timeOf(at: number, view: View): number | null {
    if (view.clip && !view.recorded) return at / 1000 - view.clip.t;
    const piece = this.begins.findLast((one) => one.moment <= at);
    return piece ? piece.start + Math.min((at - piece.moment) / 1000, piece.duration) : null;
  }

  private async open(view: View, at: number): Promise<void> {
    const since = Math.floor(at / 1000 / AHEAD) * AHEAD;
    const source = view.recorded ? `${view.playlist}?since=${stamp(since - 5)}&until=${stamp(Math.min(since + AHEAD, Math.floor(Date.now() / 1000)))}` : (view.clip?.url ?? "");
    if (this.source === source) return;
    this.stop();
    this.source = source;
    const video = document.createElement("video");
    video.muted = true;
    video.playsInline = true;
    video.setAttribute("aria-label", `${this.say(view.recorded ? "recording" : "clip")} ${view.name}`);
    const caption = document.createElement("a");
    caption.className = "caption";
    caption.href = `${view.player}?at=${stamp(Math.floor(at / 1000))}`;
    caption.textContent = `${view.name} · ${this.say(view.recorded ? "recording" : "clip")}`;
    const home = this.root.querySelector("[data-picture]") as HTMLElement;
    home.replaceChildren(video, caption);
    home.dataset.shown = "";
    this.video = video;
    if (!view.recorded) {
      video.src = source;
      return;
    }
    const { default: Player } = await import("hls.js");
    if (this.source !== source || !Player.isSupported()) return;
    this.hls = new Player({ maxBufferLength: 20, enableWorker: false });
    this.hls.on(Player.Events.LEVEL_LOADED, (_event, data) => {
      this.begins = data.details.fragments.map((one) => ({ start: one.start, duration: one.duration, moment: one.programDateTime ?? since * 1000 }));
    });
    this.hls.on(Player.Events.ERROR, (_event, data) => {
      if (data.fatal) this.stop();
    });
    this.hls.loadSource(source);
    this.hls.attachMedia(video);
  }

  private stop(): void {
    this.hls?.destroy();
    this.hls = null;
    this.source = "";
    this.begins = [];
    if (this.video) {
      this.video.remove();
      this.video = null;
      (this.root.querySelector("[data-picture]") as HTMLElement).dataset.shown = "";
      this.draw();
    }
  }
}

const stamp = (seconds: number): string => encodeURIComponent(new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z"));
