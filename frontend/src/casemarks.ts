import "./casemarks.css";
import * as maplibregl from "maplibre-gl";
import { label, word } from "./words";

/** What a mark needs to know of its case. */
export interface Marked {
  id: number;
  number: string;
  title: string;
  title_en: string;
  severity: string;
}

interface Group {
  spot: [number, number];
  cases: Marked[];
}

interface Shown {
  marker: maplibregl.Marker;
  ids: number[];
}

/** Nearer than this on the screen, in pixels, cases share one mark that counts them. */
const NEAR = 26;
const SEVERITIES = ["critical", "high", "medium", "low"];

const key = (group: Group): string => group.cases.map((one) => one.id).join();

function worst(cases: Marked[]): string {
  return SEVERITIES.find((severity) => cases.some((one) => one.severity === severity)) ?? "low";
}

/** The marks of open cases on a map: one a place, counting its cases, in the colour of the most severe. */
export class CaseMarks {
  private shown = new Map<string, Shown>();
  private cases: [Marked, [number, number]][] = [];
  private chosen: number | null = null;
  private hidden = false;

  constructor(private map: maplibregl.Map, private choose: (id: number) => void) {
    map.on("zoomend", () => this.arrange());
  }

  /** The cases with their positions (longitude, latitude), the most urgent first. */
  draw(cases: [Marked, [number, number]][]): void {
    this.cases = cases;
    this.arrange();
  }

  /** Frames the mark of a case; the map moves when it is out of sight. */
  highlight(id: number | null): void {
    this.chosen = id;
    for (const { marker, ids } of this.shown.values()) {
      const element = marker.getElement();
      const own = id !== null && ids.includes(id);
      if (own) element.setAttribute("aria-current", "true");
      else element.removeAttribute("aria-current");
      element.style.zIndex = own ? "3" : "";
      if (own && !this.map.getBounds().contains(marker.getLngLat())) this.map.easeTo({ center: marker.getLngLat(), duration: 400 });
    }
  }

  visible(shown: boolean): void {
    this.hidden = !shown;
    for (const { marker } of this.shown.values()) marker.getElement().hidden = this.hidden;
  }

  /** Marks that stay are not touched, so a hand on one does not lose it. */
  private arrange(): void {
    const groups = new Map(this.groups().map((group) => [key(group), group]));
    for (const [name, { marker }] of this.shown) {
      if (groups.has(name)) continue;
      marker.remove();
      this.shown.delete(name);
    }
    for (const [name, group] of groups) {
      if (this.shown.has(name)) continue;
      const marker = new maplibregl.Marker({ element: this.button(group) }).setLngLat(group.spot).addTo(this.map);
      this.shown.set(name, { marker, ids: group.cases.map((one) => one.id) });
    }
    this.highlight(this.chosen);
  }

  private groups(): Group[] {
    const groups: (Group & { at: maplibregl.Point })[] = [];
    for (const [one, spot] of this.cases) {
      const at = this.map.project(spot);
      const near = groups.find((group) => Math.hypot(group.at.x - at.x, group.at.y - at.y) < NEAR);
      if (near) near.cases.push(one);
      else groups.push({ spot, at, cases: [one] });
    }
    return groups;
  }

  private button(group: Group): HTMLButtonElement {
    const button = document.createElement("button");
    const [first] = group.cases;
    const count = group.cases.length;
    const title = `${label(first)} · ${first.number}`;
    button.type = "button";
    button.hidden = this.hidden;
    button.className = `case-mark ${worst(group.cases)}${count > 1 ? " many" : ""}`;
    button.title = count > 1 ? `${word("casesHere").replace("{n}", String(count))} · ${title}` : title;
    button.textContent = count > 1 ? String(count) : "";
    button.setAttribute("aria-label", button.title);
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      this.choose(this.next(group));
    });
    return button;
  }

  /** The most urgent first; the next one where one of them is chosen already. */
  private next(group: Group): number {
    const at = group.cases.findIndex((one) => one.id === this.chosen);
    return group.cases[(at + 1) % group.cases.length].id;
  }
}
