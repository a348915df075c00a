import { button, h, svg } from "./dom";
import { t } from "./words";

export type Point = [number, number];
export interface Picture {
  bytes: ArrayBuffer;
  width: number;
  height: number;
  thumb: string;
  url: string;
}
export interface Measured {
  scale: number;
  length: number;
  width: number;
  area: number;
}
const SIDE = 2048;
const THUMB = 240;
const MOST_READ = 48 << 20;
const QUALITIES = [0.85, 0.7, 0.5];
const CLOSEST = 20;
const megabytes = (bytes: number): string => (bytes / (1 << 20)).toFixed(1);

function drawn(bitmap: ImageBitmap, side: number): HTMLCanvasElement {
  const shrink = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = h("canvas", { width: Math.max(1, Math.round(bitmap.width * shrink)), height: Math.max(1, Math.round(bitmap.height * shrink)) });
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A picture made small enough to be sent, without what the camera wrote into it (place, device). Throws with the reason. */
export async function shrink(file: Blob, most: number): Promise<Picture> {
  if (file.size > MOST_READ) throw new Error(t("photoTooLarge", { n: megabytes(file.size), most: megabytes(MOST_READ) }));
  const bitmap = await createImageBitmap(file).catch(() => { throw new Error(t("photoBroken")); });
  const canvas = drawn(bitmap, SIDE);
  const thumb = drawn(bitmap, THUMB).toDataURL("image/jpeg", 0.6);
  bitmap.close();
  let blob: Blob | null = null;
  for (const quality of QUALITIES) {
    blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob && blob.size <= most) break;
  }
  if (!blob) throw new Error(t("photoBroken"));
  if (blob.size > most) throw new Error(t("photoStill", { n: megabytes(blob.size), most: megabytes(most) }));
  return { bytes: await blob.arrayBuffer(), width: canvas.width, height: canvas.height, thumb, url: URL.createObjectURL(blob) };
}

/** As the server measures: length is the longest way across, width at right angles to it. Null where the ruler says nothing. */
export function measure(ends: Point[], millimetres: number, outline: Point[]): Measured | null {
  if (ends.length < 2 || !(millimetres > 0)) return null;
  const pixels = Math.hypot(ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]);
  if (pixels < CLOSEST) return null;
  const scale = millimetres / pixels;
  const [centimetres, none] = [scale / 10, { scale, length: 0, width: 0, area: 0 }];
  if (outline.length < 3) return none;
  const sum = outline.reduce((total, [x, y], n) => {
    const [nextX, nextY] = outline[(n + 1) % outline.length];
    return total + x * nextY - nextX * y;
  }, 0);
  let [a, b, length] = [outline[0], outline[0], 0];
  for (const one of outline) for (const other of outline) {
    const far = Math.hypot(other[0] - one[0], other[1] - one[1]);
    if (far > length) [a, b, length] = [one, other, far];
  }
  const across = outline.map(([x, y]) => ((x - a[0]) * (b[1] - a[1]) - (y - a[1]) * (b[0] - a[0])) / (length || 1));
  return { scale, length: length * centimetres, width: (Math.max(...across) - Math.min(...across)) * centimetres, area: (Math.abs(sum) / 2) * centimetres * centimetres };
}

export interface Marks {
  ends: Point[];
  outline: Point[];
  millimetres: number;
}

/** The picture to tap on: two points on the ruler, then round the wound. `changed` hears of every point. */
export function measuring(picture: Picture, marks: Marks, changed: () => void): HTMLElement {
  let mode: "ruler" | "outline" = "ruler";
  const layer = svg("svg", { viewBox: `0 0 ${picture.width} ${picture.height}`, class: "marks" });
  const how = h("p", { class: "muted", role: "status" });
  const result = h("p", { class: "result", role: "status" });
  const dot = picture.width / 60;
  const length = h("input", { type: "number", inputmode: "decimal", min: 1, max: 1000, value: marks.millimetres, id: "millimetres", oninput: () => { marks.millimetres = Number(length.value); draw(); } });
  const [byRuler, byOutline] = (["ruler", "outline"] as const).map((name) =>
    h("button", { type: "button", class: "btn", onclick: () => { mode = name; draw(); } }, t(name)));
  function draw(): void {
    const points = (list: Point[], css: string): SVGElement[] => list.map(([x, y]) => svg("circle", { cx: x, cy: y, r: dot, class: css }));
    const line = (list: Point[], name: string, css: string): SVGElement => svg(name, { points: list.map((one) => one.join(",")).join(" "), class: css, "stroke-width": dot / 2 });
    layer.replaceChildren(line(marks.ends, "polyline", "ruler"), ...points(marks.ends, "ruler"), line(marks.outline, marks.outline.length > 2 ? "polygon" : "polyline", "outline"), ...points(marks.outline, "outline"));
    byRuler.setAttribute("aria-pressed", String(mode === "ruler"));
    byOutline.setAttribute("aria-pressed", String(mode === "outline"));
    how.textContent = t(mode === "ruler" ? "rulerHow" : "outlineHow");
    const found = measure(marks.ends, marks.millimetres, marks.outline);
    const close = marks.ends.length === 2 && !found;
    result.textContent = close ? t("tooClose") : !found ? "" : found.area ? t("area", { area: found.area.toFixed(1), length: found.length.toFixed(1), width: found.width.toFixed(1) }) : t("scaleSet", { n: found.scale.toFixed(3) });
    changed();
  }
  const stage = h("div", { class: "stage", style: `aspect-ratio: ${picture.width} / ${picture.height}` }, h("img", { src: picture.url, alt: t("photo") }), layer);
  stage.addEventListener("click", (event) => {
    const box = stage.getBoundingClientRect();
    const at: Point = [Math.round(((event.clientX - box.left) / box.width) * picture.width), Math.round(((event.clientY - box.top) / box.height) * picture.height)];
    if (mode === "outline") marks.outline.push(at);
    else if (marks.ends.push(at) > 2) marks.ends.splice(0, marks.ends.length, at);
    else if (marks.ends.length === 2) mode = "outline";
    draw();
  });
  const undo = (): void => {
    (mode === "outline" && marks.outline.length ? marks.outline : marks.ends).pop();
    draw();
  };
  draw();
  return h("div", {}, how, h("div", { class: "acts" }, byRuler, byOutline, button(t("undo"), "arrow-back-up", undo)), stage, h("label", { for: "millimetres" }, t("millimetres")), length, result);
}
