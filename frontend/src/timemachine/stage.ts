import type { GeoJSONSource } from "maplibre-gl";
import type { Feature } from "geojson";
import { type Device, DistrictMap, type MapData, type Mark as MapMark } from "../map";
import type { Happened, Held, Mark } from "./fold";
import { LATE } from "./fold";

export interface Door {
  device: number;
  property: string;
  output: number;
  name: string;
  where: string;
}
export interface Stage {
  scope: number;
  places: MapData["places"];
  devices: Device[];
  doors: Door[];
}

const GLOW = 20_000;

/** One map of the past: devices in their states, late ones ringed, passages that glow for some seconds, open cases. */
export class PastMap {
  readonly district: DistrictMap;
  private devices = new Map<number, Device>();
  private shown = "";
  private ready = false;

  constructor(home: HTMLElement, choose: (id: number) => void) {
    this.district = new DistrictMap(home, choose);
    // A change of theme takes the layers away: they are put back when the new style is there.
    this.district.map.on("styledata", () => this.layers());
  }

  async load(stage: Stage): Promise<void> {
    const placed = stage.devices.filter((device) => device.longitude !== null);
    this.devices = new Map(placed.map((device) => [device.id, device]));
    await this.district.load({ wide: false, scope: stage.scope, places: stage.places, devices: structuredClone(placed), cases: [] });
    this.ready = true;
    this.fit(stage);
    this.layers();
  }

  /** The whole place, with room for the date above it: no bar lies over this map. */
  private fit(stage: Stage): void {
    const own = stage.places.features.find((feature) => feature.id === stage.scope && feature.geometry.type === "Polygon");
    if (own?.geometry.type !== "Polygon") return;
    const [x, y] = [0, 1].map((axis) => (own.geometry as { coordinates: number[][][] }).coordinates[0].map((point) => point[axis]));
    this.district.map.fitBounds([[Math.min(...x), Math.min(...y)], [Math.max(...x), Math.max(...y)]], { padding: { top: 54, bottom: 24, left: 24, right: 24 }, duration: 0, maxZoom: 19 });
  }

  private layers(): void {
    const map = this.district.map;
    if (!this.ready || !map.getLayer("ground") || map.getSource("past")) return;
    map.addSource("past", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    map.addLayer({
      id: "past-glow", type: "circle", source: "past", filter: ["==", ["get", "what"], "glow"],
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 15, 6, 18, 15],
        "circle-color": ["match", ["get", "tone"], "bad", "#d23a2e", "car", "#1c4fa3", "#17839c"],
        "circle-opacity": ["*", 0.55, ["get", "age"]], "circle-stroke-width": 2,
        "circle-stroke-color": ["match", ["get", "tone"], "bad", "#d23a2e", "car", "#1c4fa3", "#17839c"],
        "circle-stroke-opacity": ["get", "age"],
      },
    }, map.getLayer("doors") ? "doors" : undefined);
    map.addLayer({
      id: "past-late", type: "circle", source: "past", filter: ["==", ["get", "what"], "late"],
      paint: { "circle-radius": ["interpolate", ["linear"], ["zoom"], 15, 5, 18, 10], "circle-opacity": 0, "circle-stroke-width": 2, "circle-stroke-color": "#e8730c" },
    });
    this.shown = "";
  }

  show(states: Map<number, Map<string, Held>>, cases: Mark[], passed: Happened[], at: number, speed: number): void {
    const plain = new Map<number, Record<string, unknown>>();
    for (const id of this.devices.keys()) {
      const held = states.get(id);
      plain.set(id, held ? Object.fromEntries([...held].map(([name, one]) => [name, one.value])) : {});
    }
    this.district.show(plain);
    this.district.drawCases(cases as unknown as MapMark[]);
    this.marks(states, passed, at, speed);
  }

  private marks(states: Map<number, Map<string, Held>>, passed: Happened[], at: number, speed: number): void {
    const features: Feature[] = [];
    const glow = GLOW * Math.max(1, Math.min(15, speed / 10));
    for (const one of passed) {
      const age = 1 - (at - one.t) / glow;
      const device = age > 0 ? this.devices.get(one.said.device) : undefined;
      if (!device) continue;
      const bad = one.said.kind === "door.alarm" || one.said.granted === false;
      features.push(point(device, { what: "glow", age: Math.round(age * 8) / 8, tone: bad ? "bad" : "plate" in one.said ? "car" : "" }));
    }
    for (const [id, held] of states) {
      const device = this.devices.get(id);
      if (device && [...held.values()].some((one) => one.known - one.valid > LATE)) features.push(point(device, { what: "late" }));
    }
    const text = JSON.stringify(features);
    const source = this.district.map.getSource("past") as GeoJSONSource | undefined;
    if (!source || text === this.shown) return;
    this.shown = text;
    source.setData({ type: "FeatureCollection", features });
  }
}

function point(device: Device, properties: Record<string, unknown>): Feature {
  return { type: "Feature", geometry: { type: "Point", coordinates: [device.longitude, device.latitude] }, properties };
}
