import { h, svg } from "./dom";
import { t } from "./words";

export interface Pen {
  element: HTMLElement;
  strokes: [number, number][][];
  width: number;
  height: number;
  clear(): void;
}
const CLOSE = 2;
/** Points of a whole signature: far more than a name, and far less than a line may hold. */
const MOST_POINTS = 6000;

/** A box to sign in, by finger, pen or mouse; what was signed are lines of points. */
export function pen(changed: () => void): Pen {
  const [width, height] = [600, 240];
  const layer = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "ink" });
  const element = h("div", { class: "pad", role: "img", "aria-label": t("signHere") });
  element.append(layer);
  const made: Pen = {
    element, strokes: [], width, height,
    clear() {
      made.strokes.length = 0;
      layer.replaceChildren();
      changed();
    },
  };
  let line: [number, number][] | null = null;
  let drawn: SVGElement | null = null;
  const at = (event: PointerEvent): [number, number] => {
    const box = element.getBoundingClientRect();
    const clamp = (value: number, most: number): number => Math.min(most, Math.max(0, Math.round(value * 10) / 10));
    return [clamp(((event.clientX - box.left) / box.width) * width, width), clamp(((event.clientY - box.top) / box.height) * height, height)];
  };
  const points = (): number => made.strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  const draw = (): void => drawn?.setAttribute("points", (line ?? []).map((point) => point.join(",")).join(" "));
  element.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    if (made.strokes.length >= 200 || points() >= MOST_POINTS) return;
    line = [at(event)];
    made.strokes.push(line);
    drawn = svg("polyline", {});
    layer.append(drawn);
    draw();
  });
  element.addEventListener("pointermove", (event) => {
    if (!line) return;
    const [next, last] = [at(event), line[line.length - 1]];
    if (line.length < 3000 && points() < MOST_POINTS && Math.hypot(next[0] - last[0], next[1] - last[1]) >= CLOSE) line.push(next);
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, () => {
    line = null;
    changed();
  });
  return made;
}
