import type { Mark } from "./map";

interface Chunk {
  since: number;
  until: number;
  start: Record<string, Record<string, unknown>>;
  changes: [number, string, unknown, number, number][];
  cases: (Mark & { from: number; to: number | null })[];
}

const LENGTH = 1800;

/** The past in half hours: a state at the start and its changes, applied here, so no server stands in the frame loop. */
export class Replay {
  private chunks = new Map<number, Promise<Chunk | null>>();

  constructor(private url: string, private place: string) {}

  private chunk(at: number): Promise<Chunk | null> {
    const since = Math.floor(at / LENGTH) * LENGTH;
    let found = this.chunks.get(since);
    if (!found) {
      found = fetch(`${this.url}?since=${since}${this.place ? `&place=${this.place}` : ""}`, { headers: { Accept: "application/json" } })
        .then((answer) => (answer.ok ? (answer.json() as Promise<Chunk>) : null))
        .catch(() => null);
      this.chunks.set(since, found);
      if (this.chunks.size > 48) this.chunks.delete(this.chunks.keys().next().value as number);
    }
    return found;
  }

  /** Fetch ahead of the playhead. */
  prepare(at: number): void {
    void this.chunk(at);
    void this.chunk(at + LENGTH);
  }

  /** Device states and open cases at a moment, as known at that moment: late reports show only once known. */
  async at(moment: number): Promise<{ states: Map<number, Record<string, unknown>>; cases: Mark[] } | null> {
    const chunk = await this.chunk(moment);
    if (!chunk) return null;
    const states = new Map<number, Record<string, unknown>>();
    for (const [device, state] of Object.entries(chunk.start)) states.set(Number(device), { ...state });
    for (const [device, name, value, valid, known] of chunk.changes) {
      if (valid > moment || known > moment) continue;
      const state = states.get(device) ?? {};
      state[name] = value;
      states.set(device, state);
    }
    const cases = chunk.cases.filter((mark) => mark.from <= moment && (mark.to === null || mark.to > moment));
    return { states, cases };
  }
}
