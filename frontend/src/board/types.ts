export interface Bar {
  visit: number;
  task: number;
  start: number;
  end: number;
  travel: number;
  state: string;
  pinned: boolean;
  late: number;
}
export interface Person {
  id: number;
  name: string;
  title: string;
  skills: string;
  shift: [number, number];
  rests: [number, number][];
  used: number;
  home: [number, number] | null;
  way_home: number;
  bars: Bar[];
}
export interface VisitRow {
  id: number;
  number: string;
  patient: string;
  service: string;
  minutes: number;
  people: number;
  second: string;
  place: string;
  window: [number, number];
  state: string;
  at: [number, number] | null;
  risk: { code: string; minutes: number; text: string } | null;
}
export interface Day {
  institution: number;
  day: string;
  number: number;
  zero: string;
  now: number;
  people: Person[];
  visits: VisitRow[];
  open: { visit: number }[];
  events: { number: number; kind: string; text: string }[];
  undo: number | null;
  words?: Record<string, string>;
}
export interface Data extends Day {
  lists?: string;
  head?: string;
}
/** Minutes of the day as the place's clock shows them. */
export interface Fit {
  crew: number[];
  names: string[];
  start: string;
  clock: string;
  more_travel: number;
  late: number;
  pushed: { visit: number; name: string }[];
}
export interface Answer {
  possible: boolean;
  fit: Fit | null;
  reasons: { code: string; text: string; name: string }[];
  near: Fit[];
}
