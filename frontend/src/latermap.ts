import type { DistrictMap, MapData, Mark } from "./map";

/** The map, whose program is a megabyte: the rest of the desk works before it is there, and what is asked of it waits. */
export class LaterMap {
  private ready: Promise<DistrictMap>;

  constructor(home: HTMLElement, choose: (id: number) => void) {
    this.ready = import("./map").then((found) => new found.DistrictMap(home, choose));
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
