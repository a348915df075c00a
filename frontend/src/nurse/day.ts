// The day and a visit: what comes next, who it is, and what was done.
import { h, icon, svg } from "./dom";
import * as keep from "./keep";
import * as vault from "./vault";
import { metres, type Doing, type Visit } from "./model";
import { isDone, nextStep, STEPS } from "./steps";
import { both, clock, dayOf, isoDay, t } from "./words";

const ended = (visit: Visit, doing: Doing | undefined): boolean => visit.state === "done" || Boolean(doing?.outAt ?? doing?.missed);

function state(visit: Visit): HTMLElement {
  const doing = keep.doings.get(visit.id) ?? (visit.encounter ? keep.doing(visit.id) : undefined);
  if (doing?.missed) return h("span", { class: "tag warn" }, t("missedDone"));
  if (ended(visit, doing)) return h("span", { class: "tag good" }, icon("check"), t("finished"));
  if (doing?.inAt) return h("span", { class: "tag accent" }, `${t("check_in")} ${clock(doing.inAt)}`);
  return h("span", { class: "tag" }, t("until", { time: clock(visit.latest_at) }));
}

/** The day's homes in their order, without a map behind: north is up. */
function sketch(visits: Visit[]): Element | null {
  const at = visits.filter((one) => one.position).map((one) => one.position as [number, number]);
  if (at.length < 2) return null;
  const [west, east] = [Math.min(...at.map((one) => one[0])), Math.max(...at.map((one) => one[0]))];
  const [south, north] = [Math.min(...at.map((one) => one[1])), Math.max(...at.map((one) => one[1]))];
  const squeeze = Math.cos((north * Math.PI) / 180);
  const scale = 1 / Math.max((east - west) * squeeze, north - south, 1e-5);
  const spot = ([x, y]: [number, number]): [number, number] => [30 + (x - west) * squeeze * scale * 280, 20 + (north - y) * scale * 120];
  const spots = at.map(spot);
  const height = Math.max(...spots.map((one) => one[1])) + 22;
  const far = at.slice(1).reduce((sum, one, n) => sum + metres(at[n], one), 0);
  const marks = spots.flatMap(([x, y], n) => {
    const text = svg("text", { x, y: y + 5, "text-anchor": "middle" });
    text.textContent = String(n + 1);
    return [svg("circle", { cx: x, cy: y, r: 13 }), text];
  });
  const drawn = svg("svg", { viewBox: `0 0 340 ${height}`, class: "route", role: "img", "aria-label": t("wayThere") }, svg("polyline", { points: spots.map((one) => one.join(",")).join(" ") }), ...marks);
  return h("figure", { class: "card" }, drawn, h("figcaption", { class: "muted" }, `${t("wayThere")} · ${(far / 1000).toFixed(1)} km`));
}

export function day(): HTMLElement {
  const root = h("div", {});
  const visits = keep.bundle?.visits ?? [];
  const lost = [...keep.doings.values()].filter((one) => one.sequence && !keep.visit(one.id));
  for (const one of lost) root.append(h("div", { class: "card warn" }, h("strong", {}, one.title), h("p", {}, t("gone"))));
  if (!visits.length && vault.isOver()) root.append(h("div", { class: "card warn" }, h("strong", {}, t("over")), h("p", {}, t("overHow"))));
  else if (!visits.length) root.append(h("div", { class: "card empty" }, icon("route"), h("h2", {}, t("noVisits")), h("p", {}, t("noVisitsHow"))));
  for (const name of [...new Set(visits.map((one) => one.day))]) {
    const some = visits.filter((one) => one.day === name);
    const today = name === isoDay(new Date());
    root.append(h("h2", { class: "day" }, `${today ? t("today") : t("tomorrow")} ${dayOf(`${name}T12:00:00Z`)}`));
    const nextOne = today ? some.find((one) => !ended(one, keep.doings.get(one.id))) : undefined;
    some.forEach((one, n) => root.append(card(one, n + 1, one === nextOne)));
    const drawn = sketch(some);
    if (drawn) root.append(drawn);
  }
  const asked = vault.current()?.asked;
  if (asked && visits.length) root.append(h("p", { class: "muted" }, t("fetchedAt", { time: `${dayOf(new Date(asked))} ${clock(new Date(asked))}` })));
  return root;
}

function card(visit: Visit, n: number, first: boolean): HTMLElement {
  return h("a", { class: first ? "card visit first" : "card visit", href: `#visit/${visit.id}` },
    h("span", { class: "number" }, String(n)),
    h("span", { class: "grow" },
      h("strong", {}, `${clock(visit.starts_at)}–${clock(visit.ends_at)} ${visit.patient.name}`),
      h("span", {}, both(visit.home)), h("span", { class: "muted" }, both(visit.service)),
      visit.with.length ? h("span", { class: "muted" }, t("with", { who: visit.with.join("、") })) : null, state(visit)),
    icon("chevron-right"));
}

function age(born: string): string {
  if (!born) return "";
  const [now, then] = [new Date(), new Date(born)];
  const early = now.getMonth() < then.getMonth() || (now.getMonth() === then.getMonth() && now.getDate() < then.getDate());
  return t("years", { n: now.getFullYear() - then.getFullYear() - (early ? 1 : 0) });
}

const fact = (label: string, text: string, css = ""): HTMLElement | null => (text ? h("div", { class: css }, h("dt", {}, label), h("dd", {}, text)) : null);

function assessed(visit: Visit): string {
  const found = visit.assessment;
  if (!found) return "";
  const scores = found.scores.map((one) => `${both(one.name)} ${one.total}/${one.most}${one.band ? `（${both(one.band)}）` : ""}`);
  return [t(found.decision), found.last_day ? t("validUntil", { day: found.last_day }) : "", ...scores].filter(Boolean).join(" · ");
}

function before(visit: Visit): string {
  if (!visit.last) return "";
  const { systolic, diastolic, ...rest } = visit.last.values;
  const named = Object.entries(rest).map(([code, value]) => `${both(keep.bundle?.vitals.find((one) => one.code === code))} ${value}`);
  const parts = [systolic ? `${systolic}/${diastolic}` : "", ...named, visit.last.area ? `${visit.last.area} cm²` : ""].filter(Boolean);
  return parts.length ? t("lastTime", { day: dayOf(visit.last.at), what: parts.join(" · ") }) : "";
}

const hint = (doing: Doing, step: string): string => {
  if (step === "check_in" && doing.inAt) return clock(doing.inAt);
  if (step === "check_out" && doing.outAt) return clock(doing.outAt);
  if (step === "vitals" && doing.vitals.length) {
    const { systolic, diastolic, ...rest } = doing.vitals[doing.vitals.length - 1].values;
    return [systolic ? `${systolic}/${diastolic}` : "", ...Object.values(rest).map(String)].filter(Boolean).join(" · ");
  }
  if (step === "photo" && doing.photos.length) return String(doing.photos.length);
  return doing.done[step]?.at ? clock(doing.done[step].at) : "";
};

export function visitScreen(visit: Visit): HTMLElement {
  const doing = keep.doing(visit.id);
  const { patient } = visit;
  const over = Boolean(doing.outAt) || Boolean(doing.missed);
  const next = over ? null : nextStep(doing, visit);
  const [x, y] = visit.position ?? [0, 0];
  const steps = h("ol", { class: "steps card" }, ...STEPS.map((step) => {
    const done = isDone(doing, visit, step);
    const name = h("span", { class: "grow" }, h("strong", {}, t(step)), h("small", {}, hint(doing, step)));
    const inner = [icon(done ? "circle-check" : "circle"), name, step === next ? h("span", { class: "tag accent" }, t("next")) : null];
    const css = `step-link${done ? " done" : ""}`;
    return h("li", {}, over || (step === "check_in" && doing.inAt) ? h("div", { class: css }, ...inner) : h("a", { class: css, href: `#visit/${visit.id}/${step}` }, ...inner));
  }));
  return h("div", {},
    h("section", { class: "card" },
      h("h2", {}, `${patient.name} ${age(patient.born)}`), h("p", {}, both(visit.home)),
      h("p", { class: "muted" }, `${clock(visit.starts_at)}–${clock(visit.ends_at)} · ${both(visit.service)} · ${visit.number}`),
      h("dl", { class: "facts" },
        fact(t("allergies"), patient.allergies || t("noAllergies"), patient.allergies ? "danger" : ""), fact(t("conditions"), patient.conditions),
        fact(t("flags"), both(patient.flags), "danger"), fact(t("access"), patient.access), fact(t("assessment"), assessed(visit))),
      before(visit) ? h("p", { class: "muted" }, before(visit)) : null,
      visit.position ? h("a", { class: "btn", href: `geo:${y},${x}?q=${y},${x}(${encodeURIComponent(both(visit.home))})` }, icon("navigation"), t("navigate")) : null),
    visit.against.length && !over ? h("section", { class: "card danger", role: "alert" }, h("strong", {}, t("against")), ...visit.against.map((one) => h("p", {}, both(one)))) : null,
    doing.traced && !over ? h("p", { class: "card note" }, icon("map-pin"), t("traceOn")) : null,
    doing.missed ? h("p", { class: "card warn" }, `${t("missedDone")}: ${t(doing.missed === "refused" ? "refusedVisit" : doing.missed)}`) : null,
    steps,
    over ? h("a", { class: "btn big", href: `#visit/${visit.id}/addendum` }, icon("pencil-plus"), t("addendum")) : h("a", { class: "btn", href: `#visit/${visit.id}/missed` }, icon("x"), t("couldNot")));
}

export const nextOf = (visit: Visit): string | null => {
  const doing = keep.doing(visit.id);
  return doing.outAt || doing.missed ? null : nextStep(doing, visit);
};
