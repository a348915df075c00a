/** Plays a span of a camera's recording; the bar shows its holes and takes clicks. */
import "./recording.css";
import Hls from "hls.js";

interface Start {
  playlist: string;
  since: string;
  until: string;
  at: string;
}

const root = document.getElementById("recording");
const video = root?.querySelector("video");
const start = JSON.parse(document.getElementById("recording-start")?.textContent ?? "null") as Start | null;

for (const span of root?.querySelectorAll<HTMLElement>(".span-bar span") ?? []) {
  span.style.left = `${span.dataset.left}%`;
  span.style.width = `${span.dataset.width}%`;
}

if (root && video && start) play(root, video, start);

function play(root: HTMLElement, video: HTMLVideoElement, start: Start): void {
  const clock = root.querySelector<HTMLElement>("[data-clock]");
  const bar = root.querySelector<HTMLElement>(".span-bar");
  const needle = root.querySelector<HTMLElement>("[data-needle]");
  const since = Date.parse(start.since);
  const length = Date.parse(start.until) - since;
  const shown = new Intl.DateTimeFormat(document.documentElement.lang, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
  });
  // Playlist time runs without the holes: where each piece stands, by its own date.
  let pieces: { start: number; duration: number; moment: number }[] = [];

  const momentOf = (time: number): number => {
    const piece = pieces.findLast((one) => one.start <= time + 0.01) ?? pieces[0];
    return piece ? piece.moment + (time - piece.start) * 1000 : since;
  };
  const timeOf = (moment: number): number => {
    const piece = pieces.findLast((one) => one.moment <= moment) ?? pieces[0];
    return piece ? piece.start + Math.min((moment - piece.moment) / 1000, piece.duration) : 0;
  };
  const show = (): void => {
    const moment = momentOf(video.currentTime);
    if (clock) clock.textContent = shown.format(moment);
    if (needle) needle.style.left = `${((moment - since) / length) * 100}%`;
  };

  video.addEventListener("timeupdate", show);
  bar?.addEventListener("click", (event) => {
    const box = bar.getBoundingClientRect();
    video.currentTime = timeOf(since + ((event.clientX - box.left) / box.width) * length);
  });

  if (!Hls.isSupported()) {
    video.src = start.playlist;
    return;
  }
  const hls = new Hls({ maxBufferLength: 20, enableWorker: false });
  hls.on(Hls.Events.LEVEL_LOADED, (_event, data) => {
    pieces = data.details.fragments.map((one) => ({
      start: one.start,
      duration: one.duration,
      moment: one.programDateTime ?? since,
    }));
    if (start.at) video.currentTime = timeOf(Date.parse(start.at));
  });
  hls.on(Hls.Events.ERROR, (_event, data) => {
    if (data.fatal && clock) clock.textContent = `${data.details}`;
  });
  hls.loadSource(start.playlist);
  hls.attachMedia(video);
}
