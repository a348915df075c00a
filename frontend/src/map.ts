import "maplibre-gl/dist/maplibre-gl.css";
import * as maplibregl from "maplibre-gl";
import type { GeoJSONSource, MapLayerMouseEvent, StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { Feature, FeatureCollection, Polygon } from "geojson";
import { CaseMarks } from "./casemarks";
import { label, word } from "./words";

maplibregl.setWorkerUrl(workerUrl);

export interface Device {
  id: number;
  code: string;
  kind: string;
  name: string;
  name_en: string;
  longitude: number;
  latitude: number;
  heading: number | null;
  view: number;
  reach: number;
  status: string;
  state: Record<string, unknown>;
}

export interface Mark {
  id: number;
  number: string;
  title: string;
  title_en: string;
  severity: string;
  place: number;
  path: string;
  longitude: number | null;
  latitude: number | null;
}

export interface MapData {
  wide: boolean;
  scope: number | null;
  places: FeatureCollection;
  devices: Device[];
  cases: Mark[];
}

const NAMES = ["Noto Sans Regular"];
const empty: FeatureCollection = { type: "FeatureCollection", features: [] };

interface Palette {
  ground: string;
  compound: string;
  edge: string;
  road: string;
  building: string;
  buildingEdge: string;
  text: string;
  halo: string;
  gate: string;
  accent: string;
  cone: string;
  good: string;
  open: string;
  bad: string;
  off: string;
}

const LIGHT: Palette = {
  ground: "#eaeee7", compound: "#f3f6ef", edge: "#9fb4a2", road: "#ffffff", building: "#dce1e5", buildingEdge: "#b3bfc9",
  text: "#46545e", halo: "#f3f6ef", gate: "#10202a", accent: "#0f6e84", cone: "#0f6e84", good: "#26854c", open: "#e8730c",
  bad: "#b3261e", off: "#8495a0",
};
const DARK: Palette = {
  ground: "#0d1b22", compound: "#12242c", edge: "#2f4d50", road: "#1d333d", building: "#22353f", buildingEdge: "#3a505c",
  text: "#b7c7cf", halo: "#0d1b22", gate: "#dbe7ec", accent: "#63c3d6", cone: "#63c3d6", good: "#49b97a", open: "#f08a35",
  bad: "#ff8a7d", off: "#74868f",
};

const palette = (): Palette => (document.documentElement.dataset.bsTheme === "dark" ? DARK : LIGHT);

// The look at loading, or what was put in since: that costs one frame and no new tiles.
const LOOK = ["coalesce", ["feature-state", "look"], ["get", "look"]] as never;

/** Our own style: the places' geometry is the map; no tiles, no glyph server, nothing from outside. */
function style(colours: Palette): StyleSpecification {
  const of = (...kinds: string[]) => ["in", ["get", "kind"], ["literal", kinds]] as never;
  return {
    version: 8,
    sources: {
      places: { type: "geojson", data: empty },
      labels: { type: "geojson", data: empty },
      cones: { type: "geojson", data: empty },
      devices: { type: "geojson", data: empty },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": colours.ground } },
      { id: "blocks", type: "line", source: "places", filter: of("district", "block"), paint: { "line-color": colours.edge, "line-dasharray": [4, 3], "line-opacity": 0.6 } },
      { id: "compounds", type: "fill", source: "places", filter: of("compound"), paint: { "fill-color": colours.compound } },
      { id: "compound-edges", type: "line", source: "places", filter: of("compound"), paint: { "line-color": colours.edge, "line-width": 2 } },
      { id: "areas", type: "fill", source: "places", filter: of("area", "road"), paint: { "fill-color": colours.road } },
      { id: "road-lines", type: "line", source: "places", filter: ["all", of("road"), ["==", ["geometry-type"], "LineString"]], paint: { "line-color": colours.road, "line-width": 8 } },
      { id: "buildings", type: "fill", source: "places", filter: of("building"), paint: { "fill-color": colours.building } },
      { id: "building-edges", type: "line", source: "places", filter: of("building", "unit"), paint: { "line-color": colours.buildingEdge, "line-width": 1.5 } },
      { id: "gates", type: "fill", source: "places", filter: of("gate"), paint: { "fill-color": colours.gate } },
      { id: "gate-points", type: "circle", source: "places", filter: ["all", of("gate"), ["==", ["geometry-type"], "Point"]], paint: { "circle-color": colours.gate, "circle-radius": 7 } },
      { id: "cones", type: "fill", source: "cones", paint: { "fill-color": ["match", ["get", "alarm"], 1, colours.open, colours.cone], "fill-opacity": 0.16 } },
      {
        id: "doors", type: "circle", source: "devices", filter: ["!=", ["get", "kind"], "camera"],
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 15, 2, 18, 5],
          "circle-color": ["match", LOOK, "open", colours.open, "bad", colours.bad, "off", colours.off, colours.good],
          "circle-stroke-width": 1.5, "circle-stroke-color": colours.road,
        },
      },
      {
        id: "cameras", type: "circle", source: "devices", filter: ["==", ["get", "kind"], "camera"],
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 15, 3, 18, 7],
          "circle-color": ["match", LOOK, "off", colours.off, "bad", colours.bad, colours.road],
          "circle-stroke-width": 3, "circle-stroke-color": ["match", LOOK, "off", colours.off, "bad", colours.bad, colours.accent],
        },
      },
      {
        id: "names", type: "symbol", source: "labels",
        layout: {
          "text-field": ["get", "text"], "text-font": NAMES, "text-size": ["interpolate", ["linear"], ["zoom"], 14, 11, 18, 15],
          "text-anchor": ["get", "anchor"] as never, "text-offset": ["match", ["get", "kind"], "building", ["literal", [0.7, 0]], "gate", ["literal", [0, -0.95]], ["literal", [0, 0]]], "text-allow-overlap": false,
        },
        paint: {
          "text-color": ["match", ["get", "kind"], "gate", colours.gate, colours.text],
          "text-halo-color": colours.halo,
          "text-halo-width": ["match", ["get", "kind"], "building", 0, 1.4],
        },
      },
    ],
  };
}

/** A camera's view as a sector on the ground: heading in degrees from north, reach in metres. */
function cone(device: Device): Feature<Polygon> {
  const centre: [number, number] = [device.longitude, device.latitude];
  const metresNorth = 110_900;
  const metresEast = 111_320 * Math.cos((device.latitude * Math.PI) / 180);
  const heading = device.heading ?? 0;
  const ring = [centre];
  for (let step = 0; step <= 12; step += 1) {
    const angle = ((heading - device.view / 2 + (device.view * step) / 12) * Math.PI) / 180;
    ring.push([
      centre[0] + (Math.sin(angle) * device.reach) / metresEast,
      centre[1] + (Math.cos(angle) * device.reach) / metresNorth,
    ]);
  }
  ring.push(centre);
  return { type: "Feature", geometry: { type: "Polygon", coordinates: [ring] }, properties: { id: device.id, alarm: 0 } };
}

function look(device: Device): string {
  if (device.status === "offline") return device.kind === "camera" ? "bad" : "off";
  const values = Object.values(device.state);
  if (values.includes("forced") || values.includes("offline")) return "bad";
  return values.includes("open") ? "open" : "good";
}

function centreOf(feature: Feature): [number, number] | null {
  const geometry = feature.geometry;
  if (geometry.type === "Point") return geometry.coordinates as [number, number];
  if (geometry.type !== "Polygon") return null;
  const points = geometry.coordinates[0].slice(0, -1);
  const sum = points.reduce(([x, y], [a, b]) => [x + a, y + b], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/** The western edge of a shape, in degrees. */
function west(feature: Feature): number | null {
  return feature.geometry.type === "Polygon" ? Math.min(...feature.geometry.coordinates[0].map(([x]) => x)) : null;
}

const LABELLED = new Set(["block", "compound", "building", "gate"]);

/** The district's map. State is put in by `show`; a click calls `choose` with the case. */
export class DistrictMap {
  readonly map: maplibregl.Map;
  private data: MapData | null = null;
  private readonly marks: CaseMarks;
  private unseen = false;
  private ready: Promise<void>;

  constructor(home: HTMLElement, choose: (id: number) => void) {
    this.map = new maplibregl.Map({
      container: home,
      style: style(palette()),
      center: [123.41, 41.83],
      zoom: 15,
      attributionControl: false,
      localIdeographFontFamily: "'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif",
      dragRotate: false,
      fadeDuration: 0,
    });
    this.marks = new CaseMarks(this.map, choose);
    this.map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-right");
    this.ready = new Promise((resolve) => this.map.on("load", () => resolve()));
    for (const layer of ["doors", "cameras"]) {
      this.map.on("click", layer, (event: MapLayerMouseEvent) => this.popup(Number(event.features?.[0]?.properties.id)));
      this.map.on("mouseenter", layer, () => (this.map.getCanvas().style.cursor = "pointer"));
      this.map.on("mouseleave", layer, () => (this.map.getCanvas().style.cursor = ""));
    }
    new MutationObserver(() => this.retheme()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  }

  async load(data: MapData): Promise<void> {
    this.data = data;
    await this.ready;
    this.draw();
    this.fit();
    // For whoever measures: when the first whole picture stood there.
    this.map.once("idle", () => performance.mark("map"));
  }

  private retheme(): void {
    this.map.setStyle(style(palette()));
    this.map.once("styledata", () => this.draw());
  }

  private source(name: string): GeoJSONSource {
    return this.map.getSource(name) as GeoJSONSource;
  }

  private draw(): void {
    if (!this.data) return;
    const labels: Feature[] = [];
    for (const feature of this.data.places.features) {
      const properties = feature.properties as { kind: string; name: string; name_en: string };
      const own = feature.id === this.data.scope;
      const centre = LABELLED.has(properties.kind) && !own ? centreOf(feature) : null;
      if (centre) {
        if (properties.kind === "building") centre[0] = west(feature) ?? centre[0];
        labels.push({
          type: "Feature",
          geometry: { type: "Point", coordinates: centre },
          properties: { text: label(properties), anchor: properties.kind === "building" ? "left" : "center", kind: properties.kind },
        });
      }
    }
    this.source("places").setData({
      type: "FeatureCollection",
      features: this.data.places.features.filter((feature) => feature.properties?.kind !== "door"),
    });
    this.source("labels").setData({ type: "FeatureCollection", features: labels });
    this.source("cones").setData({
      type: "FeatureCollection",
      features: this.data.devices.filter((device) => device.kind === "camera" && device.heading !== null).map(cone),
    });
    this.drawDevices();
    this.drawCases(this.data.cases);
  }

  private drawDevices(): void {
    if (!this.data) return;
    this.map.removeFeatureState({ source: "devices" });
    this.source("devices").setData({
      type: "FeatureCollection",
      features: this.data.devices.map((device) => ({
        type: "Feature",
        id: device.id,
        geometry: { type: "Point", coordinates: [device.longitude, device.latitude] },
        properties: { id: device.id, kind: device.kind, look: look(device) },
      })),
    });
  }

  /** Put other states in: device id → properties. Devices that are not named keep theirs. */
  show(states: Map<number, Record<string, unknown>>): void {
    if (!this.data) return;
    for (const device of this.data.devices) {
      const state = states.get(device.id);
      if (!state) continue;
      const before = look(device);
      device.state = state;
      const now = look(device);
      if (now !== before) this.map.setFeatureState({ source: "devices", id: device.id }, { look: now });
    }
  }

  /** The cases to mark, the most urgent first. */
  drawCases(cases: Mark[]): void {
    const placed = cases.map((mark): [Mark, [number, number] | null] => [mark, this.position(mark)]);
    this.marks.draw(placed.filter((pair): pair is [Mark, [number, number]] => pair[1] !== null));
  }

  private position(mark: Mark): [number, number] | null {
    if (mark.longitude !== null && mark.latitude !== null) return [mark.longitude, mark.latitude];
    // A place without a position lends one from what lies in it (a unit's door), else from what it lies in.
    const features = this.data?.places.features ?? [];
    const path = (feature: Feature): string => String(feature.properties?.path ?? "");
    const inside = features.find((feature) => path(feature).startsWith(mark.path));
    if (inside) return centreOf(inside);
    const around = features.filter((feature) => mark.path.startsWith(path(feature)));
    around.sort((a, b) => path(b).length - path(a).length);
    return around.length ? centreOf(around[0]) : null;
  }

  highlight(id: number | null): void {
    this.marks.highlight(id);
  }

  layer(name: string, visible: boolean): void {
    const value = visible ? "visible" : "none";
    const layers: Record<string, string[]> = { doors: ["doors"], cameras: ["cameras", "cones"], labels: ["names"] };
    for (const id of layers[name] ?? []) this.map.setLayoutProperty(id, "visibility", value);
    if (name === "cases") this.marks.visible(visible);
  }

  private popup(id: number): void {
    const device = this.data?.devices.find((other) => other.id === id);
    if (!device) return;
    const body = document.createElement("div");
    const name = document.createElement("strong");
    name.textContent = label(device);
    const state = document.createElement("span");
    const values = Object.values(device.state).map((value) => word(String(value)));
    state.textContent = [word(device.status), ...values].join(" · ");
    const link = document.createElement("a");
    link.href = `/devices/${device.id}`;
    link.textContent = device.code;
    body.append(name, state, document.createElement("br"), link);
    new maplibregl.Popup({ offset: 10 }).setLngLat([device.longitude, device.latitude]).setDOMContent(body).addTo(this.map);
  }

  /** Call when the map comes into view; the first time it then finds its bounds. */
  shown(): void {
    const hidden = this.unseen;
    this.map.resize();
    if (hidden && this.data) this.fit();
  }

  private fit(): void {
    this.unseen = this.map.getContainer().clientWidth === 0;
    const bounds = new maplibregl.LngLatBounds();
    const features = this.data?.places.features ?? [];
    const scope = features.find((feature) => feature.id === this.data?.scope);
    const fine = scope && !["district", "block"].includes(String(scope.properties?.kind));
    const inside = fine ? [scope] : [];
    const compounds = features.filter((feature) => feature.properties?.kind === "compound");
    for (const feature of inside.length && inside[0].geometry.type === "Polygon" ? inside : compounds.length ? compounds : features) {
      if (feature.geometry.type === "Polygon") for (const point of feature.geometry.coordinates[0]) bounds.extend(point as [number, number]);
      if (feature.geometry.type === "Point") bounds.extend(feature.geometry.coordinates as [number, number]);
    }
    if (!bounds.isEmpty()) {
      const phone = window.innerWidth < 768;
      this.map.fitBounds(bounds, { padding: { top: 58, bottom: phone ? 130 : 128, left: 48, right: 48 }, duration: 0, maxZoom: 19 });
    }
  }
}
