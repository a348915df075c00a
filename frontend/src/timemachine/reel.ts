import type { Chunk } from "./fold";

const TEN = 600_000;
const HOUR = 3_600_000;
const KEEP = 60;

/** The chunks of one place: fetched ahead of the playhead, kept, asked for again when one did not come. */
export class Reel {
  private found = new Map<string, Chunk>();
  private asked = new Map<string, Promise<Chunk | null>>();

  constructor(private url: string, private place: string, private failed: () => void) {}

  private key = (at: number, length: number): string => `${Math.floor(at / length) * length}/${length}`;

  /** A chunk that holds the moment, where one is here. */
  at(moment: number): Chunk | null {
    for (const length of [TEN, HOUR]) {
      const chunk = this.found.get(this.key(moment, length));
      if (chunk && moment <= chunk.until) return chunk;
    }
    return null;
  }

  /** Fetch what is needed now and soon: whole hours when time runs fast. */
  async need(moment: number, speed: number): Promise<Chunk | null> {
    const length = speed >= 60 ? HOUR : TEN;
    const here = this.at(moment);
    const ahead = moment + (speed >= 600 ? HOUR : TEN);
    if (here) {
      if (ahead < Date.now() && !this.at(ahead)) void this.fetch(ahead, length);
      return here;
    }
    // The hand has just jumped: the short piece comes sooner.
    const chunk = await this.fetch(moment, TEN);
    if (ahead < Date.now()) void this.fetch(ahead, length);
    return chunk;
  }

  /** The chunks here that reach back from a moment over a span, newest first. */
  *back(moment: number, span: number): Generator<Chunk> {
    let at = moment;
    while (at > moment - span) {
      const chunk = this.at(at);
      if (!chunk) return;
      yield chunk;
      at = chunk.since - 1;
    }
  }

  fetch(moment: number, length: number = TEN): Promise<Chunk | null> {
    const key = this.key(moment, length);
    const known = this.found.get(key);
    if (known && moment <= known.until) return Promise.resolve(known);
    let asking = this.asked.get(key);
    if (!asking) {
      asking = this.ask(key, length).finally(() => this.asked.delete(key));
      this.asked.set(key, asking);
    }
    return asking;
  }

  private async ask(key: string, length: number): Promise<Chunk | null> {
    const since = Number(key.split("/")[0]) / 1000;
    try {
      const answer = await fetch(`${this.url}?place=${this.place}&since=${since}&minutes=${length / 60_000}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const chunk = (await answer.json()) as Chunk;
      this.found.set(key, chunk);
      if (this.found.size > KEEP) this.found.delete(this.found.keys().next().value as string);
      return chunk;
    } catch {
      this.failed();
      return null;
    }
  }
}
