import "./board.css";
import htmx from "htmx.org";
import { Drag } from "./board/drag";
import { Gantt } from "./board/gantt";
import type { Data, Day } from "./board/types";
import { say, send } from "./board/words";
import { onLive } from "./live";
import { painted } from "./painted";
import { toast } from "./toast";
import { block, word } from "./words";
import type { RouteMap } from "./board/map";

const home = document.querySelector<HTMLElement>(".board[data-url]");
const POLL = 20_000;

if (home) begin(home);

function begin(home: HTMLElement): void {
  const panel = document.getElementById("board-panel") as HTMLElement;
  let day = block<Day>("board-start") as Day;
  let map: RouteMap | null = null;
  let chosen = 0;
  let loading = false;
  const wide = (): boolean => window.matchMedia("(min-width: 1000px)").matches;

  const gantt = new Gantt(document.getElementById("gantt") as HTMLElement, {
    choose: (visit) => void choose(visit),
    person: (id) => void open(home.dataset.personUrl?.replace("/0/", `/${id}/`) ?? ""),
    hover: (person) => map?.hover(person),
  });
  const drag = new Drag(gantt, home.dataset.api ?? "", () => day, {
    given: (visit, number) => void given(visit, number),
    refused: (visit, text) => {
      toast(text, { bad: true });
      void choose(visit);
      void refresh();
    },
  });

  async function open(url: string): Promise<void> {
    if (!url) return;
    if (!wide()) {
      location.href = url;
      return;
    }
    const answer = await fetch(url, { headers: { "HX-Request": "true" } });
    if (!answer.ok) {
      toast(word("failed"), { bad: true });
      return;
    }
    panel.innerHTML = await answer.text();
    htmx.process(panel);
    panel.scrollTop = 0;
  }

  async function choose(visit: number, ask = true): Promise<void> {
    chosen = visit;
    gantt.select(visit);
    map?.select(visit);
    mark();
    if (ask) await open(home.dataset.visitUrl?.replace("/0/", `/${visit}/`) ?? "");
  }

  function mark(): void {
    for (const entry of home.querySelectorAll<HTMLElement>("[data-visit]")) {
      if (Number(entry.dataset.visit) === chosen) entry.setAttribute("aria-current", "true");
      else entry.removeAttribute("aria-current");
    }
  }

  async function given(visit: number, number: number): Promise<void> {
    await refresh();
    const bar = gantt.barOf(visit);
    if (bar) {
      const row = day.visits.find((one) => one.id === visit);
      toast(say("given", { patient: row?.patient ?? "", name: bar.name, time: bar.clock }), { action: say("undo"), act: () => void undo(number) });
    }
    if (panel.querySelector("[data-shown-visit]") || wide()) await choose(visit);
    gantt.focus(visit);
  }

  async function undo(number: number): Promise<void> {
    const answer = await send(`${home.dataset.api}institutions/${day.institution}/days/${day.day}/undo`, { number });
    if (answer.ok) toast(say("undone"));
    else toast(answer.text, { bad: true });
    await refresh();
  }

  function draw(data: Data): void {
    day = { ...data, words: day.words };
    gantt.draw(day);
    drag.bind();
    map?.draw(day);
    const lists = document.getElementById("board-lists");
    const figures = document.getElementById("board-figures");
    if (lists && data.lists !== undefined) {
      const top = lists.scrollTop;
      lists.innerHTML = data.lists;
      lists.scrollTop = top;
    }
    if (figures && data.head !== undefined) {
      figures.innerHTML = data.head;
      htmx.process(figures);
    }
    if (chosen) {
      gantt.select(chosen);
      map?.select(chosen);
    }
    mark();
  }

  async function refresh(ifNew = false): Promise<void> {
    if (loading || drag.active) return;
    loading = true;
    try {
      const url = `${home.dataset.url}${ifNew ? `&if_new=1&number=${day.number}` : ""}`;
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const data = (await answer.json()) as Data;
      if (!data.people) return;
      const known = day.number;
      draw(data);
      if (ifNew && data.number > known && data.events[0]) toast(say("changed", { text: data.events[0].text }));
    } finally {
      loading = false;
    }
  }

  gantt.draw(day);
  drag.bind();
  home.addEventListener("click", (event) => {
    const link = (event.target as HTMLElement).closest<HTMLAnchorElement>("a[data-visit], a[data-person]");
    if (!link || !wide() || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (link.dataset.visit) void choose(Number(link.dataset.visit));
    else void open(link.href);
  });
  home.addEventListener("change", (event) => {
    const field = event.target as HTMLInputElement;
    if (field.hasAttribute("data-submit") && field.value) field.form?.submit();
  });
  drag.bindList(document.getElementById("board-lists") as HTMLElement);
  document.body.addEventListener("plan-changed", () => void refresh());
  onLive("plan", (event) => {
    const told = event.data as { institution?: number; day?: string; number?: number } | undefined;
    if (told?.institution === day.institution && told.day === day.day && (told.number ?? 0) > day.number) void refresh(true);
  });
  onLive("resync", () => void refresh(true));
  setInterval(() => {
    if (document.visibilityState === "visible") void refresh(true);
  }, POLL);
  // A running day moves on by itself: expected times and who is late.
  setInterval(() => {
    const now = (Date.now() - new Date(day.zero).getTime()) / 60000;
    gantt.now(now);
    if (now > 0 && now < 1440 && document.visibilityState === "visible") void refresh();
  }, 60_000);
  void painted().then(async () => {
    const place = document.getElementById("board-map");
    if (!place || !wide()) return;
    try {
      const { RouteMap } = await import("./board/map");
      map = new RouteMap(place, { choose: (visit) => void choose(visit), hover: (person) => gantt.hover(person) });
      await map.load(home.dataset.places ?? "");
      map.draw(day);
      if (chosen) map.select(chosen);
    } catch {
      place.textContent = say("noMap");
    }
  });
}
