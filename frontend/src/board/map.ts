import type { FeatureCollection } from "geojson";
import { LngLatBounds, type GeoJSONSource, type MapLayerMouseEvent } from "maplibre-gl";
import { DistrictMap } from "../map";
import type { Day } from "./types";
import { hue } from "./words";

interface Calls {
  choose(visit: number): void;
  hover(person: number | null): void;
}

const none: FeatureCollection = { type: "FeatureCollection", features: [] };

/** Routes on the district's map: a line a person, stops numbered in their order. */
export class RouteMap {
  private readonly district: DistrictMap;
  private lines = none;
  private stops = none;
  private person = 0;
  private visit = 0;
  private fitted = "";
  private day: Day | null = null;

  constructor(home: HTMLElement, calls: Calls) {
    this.district = new DistrictMap(home, () => undefined);
    const map = this.district.map;
    map.on("styledata", () => this.layers());
    map.on("click", "route-stops", (event: MapLayerMouseEvent) => calls.choose(Number(event.features?.[0]?.properties.visit)));
    map.on("mousemove", "route-stops", (event: MapLayerMouseEvent) => {
      map.getCanvas().style.cursor = "pointer";
      calls.hover(Number(event.features?.[0]?.properties.person) || null);
    });
    map.on("mouseleave", "route-stops", () => {
      map.getCanvas().style.cursor = "";
      calls.hover(null);
    });
  }

  async load(url: string): Promise<void> {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    const stage = (await answer.json()) as { scope: number; places: FeatureCollection };
    await this.district.load({ wide: false, scope: stage.scope, places: stage.places, devices: [], cases: [] });
    this.layers();
    if (this.day) {
      this.fitted = "";
      this.fit(this.day);
    }
  }

  private layers(): void {
    const map = this.district.map;
    if (!map.getLayer("ground") || map.getSource("routes")) return;
    const dark = document.documentElement.dataset.bsTheme === "dark";
    map.addSource("routes", { type: "geojson", data: this.lines });
    map.addSource("stops", { type: "geojson", data: this.stops });
    map.addLayer({
      id: "route-lines", type: "line", source: "routes", layout: { "line-join": "round", "line-cap": "round" },
      paint: { "line-color": ["get", "colour"], "line-width": 2.5, "line-opacity": 0.55 },
    });
    map.addLayer({
      id: "route-stops", type: "circle", source: "stops",
      paint: {
        "circle-radius": ["case", ["get", "chosen"], 13, 9.5], "circle-color": ["case", ["get", "open"], dark ? "#4a1f1d" : "#fbe4e1", ["get", "colour"]],
        "circle-stroke-width": ["case", ["get", "chosen"], 3.5, 1.5],
        "circle-stroke-color": ["case", ["get", "open"], dark ? "#ff8a7d" : "#b3261e", ["get", "chosen"], dark ? "#ffffff" : "#10202a", dark ? "#0d1b22" : "#ffffff"],
      },
    });
    map.addLayer({
      id: "route-numbers", type: "symbol", source: "stops",
      layout: { "text-field": ["get", "text"], "text-font": ["Noto Sans Regular"], "text-size": 11.5, "text-allow-overlap": true, "text-ignore-placement": true },
      paint: { "text-color": ["case", ["get", "open"], dark ? "#ff8a7d" : "#b3261e", "#ffffff"] },
    });
    this.put();
  }

  draw(day: Day): void {
    this.day = day;
    const at = new Map(day.visits.map((one) => [one.id, one.at]));
    const lines: FeatureCollection["features"] = [];
    const stops: FeatureCollection["features"] = [];
    // Several patients behind one door stand side by side.
    const taken = new Map<string, number>();
    const spread = (point: [number, number]): [number, number] => {
      const key = point.join();
      const count = taken.get(key) ?? 0;
      taken.set(key, count + 1);
      return [point[0] + 0.00022 * (count % 4), point[1] - 0.00016 * Math.floor(count / 4)];
    };
    day.people.forEach((person, index) => {
      const points: [number, number][] = person.home ? [person.home] : [];
      person.bars.forEach((bar, order) => {
        const point = at.get(bar.visit);
        if (!point) return;
        const shown = spread(point);
        points.push(shown);
        stops.push({
          type: "Feature", geometry: { type: "Point", coordinates: shown },
          properties: { visit: bar.visit, person: person.id, colour: hue(index), text: String(order + 1), open: false, chosen: false },
        });
      });
      if (points.length > 1) {
        if (person.home) points.push(person.home);
        lines.push({ type: "Feature", geometry: { type: "LineString", coordinates: points }, properties: { person: person.id, colour: hue(index) } });
      }
    });
    for (const { visit } of day.open) {
      const point = at.get(visit);
      if (point) stops.push({ type: "Feature", geometry: { type: "Point", coordinates: spread(point) }, properties: { visit, person: 0, colour: "#b3261e", text: "?", open: true, chosen: false } });
    }
    this.lines = { type: "FeatureCollection", features: lines };
    this.stops = { type: "FeatureCollection", features: stops };
    this.put();
    this.fit(day);
  }

  /** A day that is opened fills the map with its stops and where its people start; afterwards it stays where one looks. */
  private fit(day: Day): void {
    if (this.fitted === day.day || !this.stops.features.length) return;
    this.fitted = day.day;
    const bounds = new LngLatBounds();
    for (const feature of [...this.stops.features, ...this.lines.features]) {
      if (feature.geometry.type === "Point") bounds.extend(feature.geometry.coordinates as [number, number]);
      if (feature.geometry.type === "LineString") for (const point of feature.geometry.coordinates) bounds.extend(point as [number, number]);
    }
    this.district.map.fitBounds(bounds, { padding: 36, duration: 0, maxZoom: 17 });
  }

  private put(): void {
    const map = this.district.map;
    for (const feature of this.stops.features) if (feature.properties) feature.properties.chosen = feature.properties.visit === this.visit;
    (map.getSource("routes") as GeoJSONSource | undefined)?.setData(this.lines);
    (map.getSource("stops") as GeoJSONSource | undefined)?.setData(this.stops);
    this.hover(this.person || null);
  }

  select(visit: number): void {
    this.visit = visit;
    this.put();
  }

  hover(person: number | null): void {
    this.person = person ?? 0;
    const map = this.district.map;
    if (!map.getLayer("route-lines")) return;
    const mine = ["==", ["get", "person"], this.person] as never;
    map.setPaintProperty("route-lines", "line-opacity", this.person ? ["case", mine, 0.95, 0.15] : 0.55);
    map.setPaintProperty("route-lines", "line-width", this.person ? ["case", mine, 4, 2] : 2.5);
    map.setPaintProperty("route-stops", "circle-opacity", this.person ? ["case", mine, 1, 0.35] : 1);
  }
}
