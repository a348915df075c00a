import "./movement.css";
import type { GeoJSONSource } from "maplibre-gl";
import { type Device, DistrictMap } from "./map";
import { block, word } from "./words";

interface Row {
  device: number;
  name: string;
  what: string;
  spot: string;
  hour: number;
  count: number;
  longitude: number | null;
  latitude: number | null;
}
interface Start {
  rows: Row[];
  stage: string;
  words: Record<string, string>;
}

const start = block<Start>("movement-start") as Start;
const home = document.getElementById("movement");
const say = (name: string): string => start.words[name] ?? word(name);

// The table is shaded by how much passes, so that it can be read without the map.
const most = Math.max(1, ...start.rows.map((row) => row.count));
for (const cell of document.querySelectorAll<HTMLElement>("[data-heat]")) cell.style.setProperty("--heat", String(Number(cell.dataset.heat) / most));

if (home) void begin(home);

async function begin(home: HTMLElement): Promise<void> {
  const map = new DistrictMap(home.querySelector(".movement-map") as HTMLElement, () => undefined);
  const slider = home.querySelector("[data-hour]") as HTMLInputElement;
  const shown = new Set(["people", "vehicles"]);
  let timer = 0;
  const answer = await fetch(start.stage, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const stage = (await answer.json()) as { scope: number; places: GeoJSON.FeatureCollection; devices: Device[] };
  const sums = (hour: number): Map<string, Row> => {
    const found = new Map<string, Row>();
    for (const row of start.rows) {
      if ((hour >= 0 && row.hour !== hour) || !shown.has(row.what) || row.longitude === null) continue;
      const key = `${row.device}/${row.what}`;
      const before = found.get(key);
      found.set(key, { ...row, count: row.count + (before?.count ?? 0) });
    }
    return found;
  };
  const layers = (): void => {
    if (!map.map.getLayer("ground") || map.map.getSource("movement")) return;
    map.map.addSource("movement", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
    map.map.addLayer({
      id: "movement-heat", type: "heatmap", source: "movement",
      paint: {
        "heatmap-weight": ["get", "share"], "heatmap-radius": ["interpolate", ["linear"], ["zoom"], 15, 18, 18, 70], "heatmap-opacity": 0.75,
        "heatmap-color": ["interpolate", ["linear"], ["heatmap-density"], 0, "rgba(15,110,132,0)", 0.2, "rgba(15,110,132,.35)", 0.5, "rgba(217,164,0,.6)", 1, "rgba(194,60,8,.85)"],
      },
    });
    map.map.addLayer({
      id: "movement-counts", type: "symbol", source: "movement",
      layout: { "text-field": ["get", "text"], "text-font": ["Noto Sans Regular"], "text-size": 13, "text-offset": [0, -1.2], "text-allow-overlap": false },
      paint: { "text-color": document.documentElement.dataset.bsTheme === "dark" ? "#e3ebef" : "#17232b", "text-halo-color": document.documentElement.dataset.bsTheme === "dark" ? "#0d1b22" : "#ffffff", "text-halo-width": 1.6 },
    });
    draw();
  };
  const draw = (): void => {
    const hour = Number(slider.value);
    const spots = [...sums(hour).values()];
    const top = Math.max(1, ...(hour < 0 ? spots : Array.from({ length: 24 }, (_, each) => [...sums(each).values()]).flat()).map((row) => row.count));
    (map.map.getSource("movement") as GeoJSONSource | undefined)?.setData({
      type: "FeatureCollection",
      features: spots.map((row) => ({
        type: "Feature", geometry: { type: "Point", coordinates: [row.longitude as number, row.latitude as number] },
        properties: { share: row.count / top, text: row.count.toLocaleString() },
      })),
    });
    const text = hour < 0 ? say("wholeDay") : `${hour}:00 – ${hour + 1}:00`;
    (home.querySelector("[data-hour-word]") as HTMLElement).textContent = text;
    slider.setAttribute("aria-valuetext", text);
  };
  map.map.on("styledata", layers);
  await map.load({ wide: false, scope: stage.scope, places: stage.places, devices: [], cases: [] });
  layers();
  draw();
  slider.addEventListener("input", draw);
  for (const button of home.querySelectorAll<HTMLElement>("[data-what]")) {
    button.addEventListener("click", () => {
      const what = button.dataset.what as string;
      if (!shown.delete(what)) shown.add(what);
      button.setAttribute("aria-pressed", String(shown.has(what)));
      draw();
    });
  }
  const stop = (): void => {
    clearInterval(timer);
    timer = 0;
    home.classList.remove("playing");
  };
  home.querySelector("[data-play]")?.addEventListener("click", () => {
    if (timer) {
      stop();
      return;
    }
    home.classList.add("playing");
    timer = window.setInterval(() => {
      slider.value = String(Number(slider.value) >= 23 ? 0 : Number(slider.value) + 1);
      draw();
    }, 900);
  });
}
