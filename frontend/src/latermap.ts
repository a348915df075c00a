import type { DistrictMap, MapData, Mark } from "./map";

const PATIENCE = 1000;

/** After the next frame is out; a page in the background, which gets no frames, waits a second. */
function painted(): Promise<void> {
  return new Promise((done) => {
    const late = setTimeout(done, PATIENCE);
    requestAnimationFrame(() => {
      clearTimeout(late);
      setTimeout(done);
    });
  });
}

/** The map, whose program is a megabyte: it comes after the page is painted, and what is asked of it meanwhile waits. */
export class LaterMap {
  private ready: Promise<DistrictMap>;

  constructor(home: HTMLElement, choose: (id: number) => void) {
    this.ready = painted()
      .then(() => import("./map"))
      .then((found) => new found.DistrictMap(home, choose));
  }

  private then(act: (map: DistrictMap) => void): void {
    void this.ready.then(act);
  }

  async load(data: MapData): Promise<void> {
    await (await this.ready).load(data);
  }

  show(states: Map<number, Record<string, unknown>>): void {
    this.then((map) => map.show(states));
  }

  drawCases(cases: Mark[]): void {
    this.then((map) => map.drawCases(cases));
  }

  highlight(id: number | null): void {
    this.then((map) => map.highlight(id));
  }

  layer(name: string, visible: boolean): void {
    this.then((map) => map.layer(name, visible));
  }

  shown(): void {
    this.then((map) => map.shown());
  }
}
