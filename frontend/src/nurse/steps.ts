// What is done at a visit, one screen a step. Each keeps one line and goes on to the next.
import { fromCuff, hasBluetooth } from "./cuff";
import type { Position } from "./db";
import { button, h, icon } from "./dom";
import { area, choice, field, kept, line, number, picked, rows, tick, ticked, typed, wrong } from "./forms";
import { busy } from "./idle";
import * as keep from "./keep";
import { metres, sha256, uuid7, type Content, type Doing, type Practitioner, type Visit } from "./model";
import { pen } from "./pen";
import { measure, measuring, shrink, type Marks, type Picture } from "./photo";
import * as place from "./place";
import { both, clock, dayOf, isoDay, t } from "./words";

export type Go = (to: string) => void;
export const STEPS = ["identity", "check_in", "consent", "checklist", "vitals", "record", "photo", "consumables", "signature", "check_out"] as const;
/** What has to be there before the check-out: the check-in, and what the server asks for. */
const needed = (): string[] => ["check_in", ...(keep.bundle?.needed ?? [])];
const AGAIN = 5000;
type Step = (typeof STEPS)[number] | "missed" | "addendum";

export const practitioner = (visit: Visit): Practitioner | undefined => keep.bundle?.practitioners.find((one) => one.id === visit.practitioner);

export function isDone(doing: Doing, visit: Visit, step: string): boolean {
  if (step === "check_in") return doing.inAt !== null;
  if (step === "check_out") return doing.outAt !== null;
  if (step === "vitals") return doing.vitals.length > 0;
  if (step === "photo") return doing.photos.length > 0;
  if (step === "checklist") return open(visit, doing).length === 0;
  if (step === "identity") return doing.done.identity?.content.result === "match";
  if (step === "consent") return doing.done.consent?.content.service === true;
  return step in doing.done;
}

const items = (visit: Visit) => (keep.bundle?.checklists.find((one) => one.name === visit.checklist_name)?.items ?? []).filter((one) => visit.checklist.includes(one.code));

/** Items of the checklist that have no answer. */
function open(visit: Visit, doing: Doing): string[] {
  const answers = (doing.done.checklist?.content.answers ?? {}) as Record<string, string>;
  return items(visit).filter((one) => one.must && !answers[one.code]).map((one) => one.code);
}

export const nextStep = (doing: Doing, visit: Visit): Step | null =>
  STEPS.find((step) => (needed().includes(step) || step === "vitals" || step === "check_out") && !isDone(doing, visit, step)) ?? null;

/** Keep a line; where the phone does not keep it, say so and stay. */
async function done(form: HTMLElement, act: () => Promise<void>, then: () => void): Promise<void> {
  const save = form.querySelector<HTMLButtonElement>("[data-save]");
  if (save) save.disabled = true;
  try {
    await act();
    then();
  } catch (error) {
    form.prepend(h("p", { class: "wrong-text", role: "alert" }, t("storageLow", { why: String((error as Error).message ?? error) })));
    if (save) save.disabled = false;
  }
}

const saveButton = (label = t("save")): HTMLElement => h("button", { class: "btn primary big", "data-save": true }, icon("check"), label);

export async function screen(step: Step, visit: Visit, go: Go): Promise<HTMLElement> {
  const draft = await keep.draft(visit.id, step);
  const doing = keep.doing(visit.id);
  const value: Content = draft ?? (step in doing.done ? doing.done[step].content : {});
  const home = (): void => go(`visit/${visit.id}`);
  return SCREENS[step](visit, doing, value, home);
}

type Screen = (visit: Visit, doing: Doing, value: Content, home: () => void) => HTMLElement;

const identity: Screen = (visit, _doing, value, home) => {
  const read = (): Content => ({ method: picked(form, "method"), result: ticked(form, "mismatch") ? "mismatch" : "match", digits: typed(form, "digits") });
  const digits = line("digits", value.digits, { inputmode: "numeric", maxlength: 6 });
  const warn = h("p", { class: "wrong-text", role: "alert", hidden: value.result !== "mismatch" }, t("mismatchHow"));
  const problem = h("p", { class: "wrong-text", role: "alert", hidden: true }, t("nothing"));
  const form = kept(visit.id, "identity", read, () => {
    const content = read();
    const ok = content.method !== "" && /^[0-9Xx]{0,6}$/.test(String(content.digits));
    problem.hidden = ok;
    if (ok) void done(form, () => keep.write(visit.id, "identity", content), home);
  },
    h("p", { class: "big-name" }, visit.patient.name), h("p", { class: "muted" }, t("identityHow")),
    choice("method", t("identity"), [["document", t("document")], ["face", t("face")], ["known", t("known")]], String(value.method ?? "")),
    field(t("digits"), digits), tick("mismatch", t("mismatch"), value.result === "mismatch"), warn, problem, saveButton());
  form.addEventListener("change", () => { warn.hidden = !ticked(form, "mismatch"); });
  return form;
};

/** The server asks the same, and lets a coordinator look at it. */
const tooEarly = (visit: Visit): boolean => Date.parse(visit.promised_at) - Date.now() > (keep.bundle?.early_minutes ?? Infinity) * 60_000;
/** The clock alone on the day itself. */
const when = (at: string): string => (isoDay(new Date(at)) === isoDay(new Date()) ? clock(at) : `${dayOf(at)} ${clock(at)}`);

const door = (kind: "check_in" | "check_out"): Screen => (visit, doing, value, home) => {
  const me = practitioner(visit);
  const radius = me?.radius ?? 200;
  let at: Position | null = null;
  let far: number | null = null;
  let failed = "";
  let sure = false;
  const early = h("div", { class: "card warn", role: "alert", hidden: true });
  const save = saveButton(t(kind));
  const status = h("p", { role: "status" }, t("locating"));
  const reason = line("reason", value.reason, { maxlength: 200 });
  const asked = field(t("outsideReason"), reason);
  asked.hidden = true;
  const told = me?.trace && kind === "check_in" ? h("div", { class: "card note" }, h("p", {}, icon("map-pin"), t("traceTold")), tick("trace", t("traceYes"), doing.traced)) : null;
  const missing = kind === "check_out" ? STEPS.filter((step) => needed().includes(step) && !isDone(doing, visit, step)) : [];
  const list = missing.length ? h("div", { class: "card warn" }, h("p", {}, t("stillMissing")), ...missing.map((step) => h("a", { class: "btn", href: `#visit/${visit.id}/${step}` }, t(step)))) : null;
  const show = (): void => {
    far = at && visit.position ? Math.round(metres([at.longitude, at.latitude], visit.position)) : null;
    status.textContent = at ? t("located", { n: far ?? "?", a: at.accuracy }) : failed ? t("unlocated", { why: failed }) : t("locating");
    const outside = far !== null && at !== null && far > radius + Math.min(at.accuracy, keep.bundle?.trusted_accuracy ?? 0);
    asked.hidden = !outside && !failed;
    const label = asked.querySelector("label");
    if (label) label.textContent = outside ? t("outside", { n: radius }) : t("noPositionReason");
  };
  const find = (): void => {
    at ??= place.recent();
    show();
    place.locate().then((found) => { [at, failed] = [found, ""]; }, (error: Error) => { failed = at ? "" : error.message; }).then(() => {
      show();
      // Whoever has no fix may write why and go on; meanwhile it is tried again.
      if (!at && form.isConnected) setTimeout(find, AGAIN);
    });
  };
  const again = (): void => {
    [at, failed] = [null, ""];
    find();
  };
  const form = kept(visit.id, kind, () => ({ reason: typed(form, "reason") }), async () => {
    if (missing.length) return;
    const why = typed(form, "reason");
    if (!asked.hidden && !why) return wrong(reason, t("needReason"));
    // Still being looked for: the answer, or why there is none, comes within seconds.
    if (!at && asked.hidden) return;
    if (kind === "check_in" && !sure && tooEarly(visit)) {
      early.replaceChildren(h("p", {}, t("tooEarly", { promised: when(visit.promised_at), now: clock(new Date()) })),
        h("p", { class: "acts" }, button(t("back"), "chevron-left", home, "btn big"), button(t("goOn"), "check", () => { sure = true; form.requestSubmit(); }, "btn big")));
      [early.hidden, save.hidden] = [false, true];
      early.scrollIntoView({ block: "nearest" });
      return;
    }
    const content: Content = { ...(at ? { longitude: at.longitude, latitude: at.latitude, accuracy: at.accuracy } : {}), reason: asked.hidden ? "" : why };
    const moment = new Date().toISOString();
    const traced = ticked(form, "trace");
    await done(form, async () => {
      if (kind === "check_out") {
        place.trace(null);
        if (keep.doing(visit.id).traced) await place.flush(visit.id);
      }
      await keep.write(visit.id, kind, content, (state) => {
        if (kind === "check_in") [state.inAt, state.traced] = [moment, traced];
        else state.outAt = moment;
      });
      if (kind === "check_in" && traced) place.trace(visit.id);
    }, home);
  }, list, status, button(t("retry"), "current-location", again), asked, told, early, save);
  find();
  return form;
};

const consent: Screen = (visit, _doing, value, home) => {
  const read = (): Content => ({ service: ticked(form, "service"), photos: ticked(form, "photos"), by: picked(form, "by"), version: visit.service.version });
  const problem = h("p", { class: "wrong-text", role: "alert", hidden: true }, t("nothing"));
  const form = kept(visit.id, "consent", read, () => {
    const content = read();
    problem.hidden = Boolean(content.service) && content.by !== "";
    if (problem.hidden) void done(form, () => keep.write(visit.id, "consent", content), home);
  },
    h("div", { class: "card" }, h("p", { class: "consent" }, both(visit.service.consent))),
    tick("service", t("consentService"), value.service === true), tick("photos", t("consentPhotos"), value.photos === true),
    choice("by", t("agreedBy"), [["patient", t("patient")], ["family", t("family")], ["guardian", t("guardian")]], String(value.by ?? "")),
    h("p", { class: "muted" }, t("noAudio")), problem, saveButton());
  return form;
};

const checklist: Screen = (visit, _doing, value, home) => {
  const answers = (value.answers ?? {}) as Record<string, string>;
  const listed = items(visit);
  const read = (): Content => ({
    checklist: visit.checklist_name,
    answers: Object.fromEntries(listed.map((one) => [one.code, picked(form, `item-${one.code}`)]).filter(([, answer]) => answer)),
  });
  const left = h("p", { role: "status", class: "muted" });
  const count = (): void => {
    const open = listed.length - Object.keys(read().answers as object).length;
    left.textContent = open ? t("left", { n: open }) : "";
  };
  const phase = (name: string): HTMLElement | null => {
    const some = listed.filter((one) => one.phase === name);
    if (!some.length) return null;
    return h("section", {}, h("h2", {}, t(name)), ...some.map((one) =>
      choice(`item-${one.code}`, both(one), [["yes", t("yes")], ["no", t("no")], ["na", t("na")]], answers[one.code] ?? "")));
  };
  const form = kept(visit.id, "checklist", read, () => void done(form, () => keep.write(visit.id, "checklist", read()), home),
    phase("before"), phase("during"), phase("after"), left, saveButton());
  form.addEventListener("change", count);
  count();
  return form;
};

const vitals: Screen = (visit, doing, value, home) => {
  const quantities = keep.bundle?.vitals ?? [];
  const given = (value.values ?? {}) as Record<string, number>;
  let device = String(value.device ?? "");
  const inputs = new Map(quantities.map((one) => [one.code, line(one.code, given[one.code], { inputmode: "decimal", type: "number", step: "any" })]));
  const status = h("p", { role: "status" });
  const read = (): Content => ({
    values: Object.fromEntries([...inputs].map(([code, input]) => [code, number(input.value)]).filter(([, found]) => found !== null)),
    context: picked(form, "context"), device,
  });
  const check = (): boolean => {
    let ok = true;
    const values = read().values as Record<string, number>;
    for (const one of quantities) {
      const input = inputs.get(one.code) as HTMLInputElement;
      const found = values[one.code];
      const bad = found !== undefined && !(found >= one.least && found <= one.most);
      wrong(input, bad ? t("between", { least: one.least, most: one.most, unit: one.unit }) : "");
      ok &&= !bad;
    }
    const [high, low] = [values.systolic, values.diastolic];
    const said = (high === undefined) !== (low === undefined) ? t("bpBoth") : high !== undefined && low >= high ? t("bpOrder") : "";
    if (said) wrong(inputs.get("diastolic") as HTMLInputElement, said);
    status.textContent = Object.keys(values).length ? "" : t("nothing");
    return ok && !said && Object.keys(values).length > 0;
  };
  const measured = (): void => {
    status.textContent = t("cuffWait");
    fromCuff().then((found) => {
      for (const code of ["systolic", "diastolic", "pulse"] as const) {
        const input = inputs.get(code);
        if (input && found[code] !== null) input.value = String(found[code]);
      }
      device = found.device;
      status.textContent = found.doubts.length ? t("cuffDoubt", { what: found.doubts.map((one) => t(one)).join("、") }) : found.device;
      form.dispatchEvent(new Event("input"));
    }, (error: Error) => { status.textContent = t("cuffFailed", { why: error.message }); });
  };
  const form = kept(visit.id, "vitals", read, () => {
    if (!check()) return;
    const { values, context } = read() as { values: Record<string, number>; context: string };
    const content: Content = { values, device, context: "glucose" in values ? context : "" };
    const at = new Date().toISOString();
    void done(form, () => keep.write(visit.id, "vitals", content, (state) => state.vitals.push({ at, values })), home);
  },
    ...doing.vitals.map((one) => h("p", { class: "muted" }, `${clock(one.at)} · ${Object.entries(one.values).map(([code, found]) => `${both(quantities.find((q) => q.code === code))} ${found}`).join(" · ")}`)),
    hasBluetooth() ? button(t("cuff"), "bluetooth", measured) : null, status,
    h("div", { class: "pairs" }, ...quantities.map((one) => field(`${both(one)} ${one.unit}`, inputs.get(one.code) as HTMLElement))),
    choice("context", t("context"), (keep.bundle?.contexts ?? []).map((one) => [one.code, both(one)]), String(value.context ?? "random")), saveButton());
  return form;
};

const record: Screen = (visit, _doing, value, home) => {
  const changed = (): void => { form.dispatchEvent(new Event("input")); };
  const wounds = rows(t("wounds"), t("addWound"), [["site", t("site"), "text"], ["length", t("length"), "number"], ["width", t("width"), "number"], ["depth", t("depth"), "number"], ["tissue", t("tissue"), "text"], ["exudate", t("exudate"), "text"]], (value.wounds ?? []) as Content[], changed);
  const routes = ["oral", "im", "iv", "sc", "topical", "inhaled", "other"].map((one): [string, string] => [one, t(one)]);
  const drugs = rows(t("medications"), t("addMedication"), [["name", t("drug"), "text"], ["dose", t("dose"), "text"], ["route", t("route"), "choice", routes], ["lot", t("lot"), "text"]], (value.medications ?? []) as Content[], changed);
  const read = (): Content => ({
    findings: typed(form, "findings"), measures: typed(form, "measures"), teaching: typed(form, "teaching"), next: typed(form, "next"),
    wounds: wounds.values().filter((one) => one.site).map((one) => ({ ...one, length: number(one.length), width: number(one.width), depth: number(one.depth) })),
    medications: drugs.values().filter((one) => one.name),
  });
  const findings = area("findings", value.findings, 4);
  const form = kept(visit.id, "record", read, () => {
    const content = read();
    if (!content.findings && !content.measures) return wrong(findings, t("nothing"));
    return done(form, () => keep.write(visit.id, "record", content), home);
  },
    field(t("findings"), findings), field(t("measures"), area("measures", value.measures)), wounds.element, drugs.element,
    field(t("teaching"), area("teaching", value.teaching)), field(t("nextTime"), area("next", value.next, 2)), saveButton());
  return form;
};

const photo: Screen = (visit, doing, _value, home) => {
  const agreed = doing.done.consent?.content.photos === true;
  const body = h("div", { class: "step" });
  const shots = h("div", { class: "shots" }, ...doing.photos.map((one) => h("figure", {}, h("img", { src: one.thumb, alt: t(one.subject) }), h("figcaption", {}, `${t(one.subject)}${one.area ? ` ${one.area.toFixed(1)} cm²` : ""} · ${one.sent ? t("sentPhoto") : t("unsentPhoto")}`))));
  if (!agreed) {
    body.append(shots, h("p", { class: "card warn" }, t("photoConsent")), h("a", { class: "btn big", href: `#visit/${visit.id}/consent` }, t("consent")));
    return body;
  }
  const problem = h("p", { class: "wrong-text", role: "alert" });
  const taken = (): boolean => busy(input, false);
  const input = h("input", { type: "file", accept: "image/*", capture: "environment", class: "visually-hidden", id: "camera", onclick: () => busy(input, true), oncancel: taken, onchange: async () => {
    taken();
    const file = input.files?.[0];
    problem.textContent = "";
    if (!file) return;
    try {
      body.replaceChildren(measured(visit, await shrink(file, keep.bundle?.most_bytes ?? 8 << 20), home));
    } catch (error) {
      problem.textContent = (error as Error).message;
    }
    input.value = "";
  } });
  body.append(shots, input, h("label", { class: "btn primary big", for: "camera" }, icon("camera"), t("takePhoto")), problem);
  return body;
};

function measured(visit: Visit, picture: Picture, home: () => void): HTMLElement {
  const marks: Marks = { ends: [], outline: [], millimetres: 50 };
  const subjects = ["wound", "skin", "stoma", "device", "other"].map((one): [string, string] => [one, t(one)]);
  const form = h("form", { class: "step", novalidate: true, onsubmit: (event: Event) => { event.preventDefault(); void keepIt(); } },
    choice("subject", t("subject"), subjects, "wound"), field(t("site"), line("site", "")),
    measuring(picture, marks, () => undefined), field(t("note"), line("note", "", { maxlength: 300 })), saveButton(t("keepPhoto")));
  busy(form, true);
  async function keepIt(): Promise<void> {
    const found = measure(marks.ends, marks.millimetres, marks.outline);
    const subject = picked(form, "subject") || "other";
    const media = uuid7();
    const content: Content = {
      media, content_type: "image/jpeg", size: picture.bytes.byteLength, sha256: await sha256(picture.bytes), width: picture.width, height: picture.height,
      subject, site: typed(form, "site"), note: typed(form, "note"),
      ...(found ? { ruler: { ends: marks.ends, millimetres: marks.millimetres }, outline: marks.outline.length > 2 ? marks.outline : [] } : {}),
    };
    const shot = { id: media, at: new Date().toISOString(), subject, thumb: picture.thumb, area: found?.area || null, sent: false };
    await done(form, () => keep.write(visit.id, "photo", content, (state) => state.photos.push(shot), { id: media, bytes: picture.bytes }), home);
    URL.revokeObjectURL(picture.url);
  }
  return form;
}

const consumables: Screen = (visit, _doing, value, home) => {
  const planned = visit.service.materials;
  const given = (value.used ?? planned.map((one) => ({ name: one.name, name_en: one.name_en, quantity: one.quantity, unit: one.unit }))) as Content[];
  const changed = (): void => { form.dispatchEvent(new Event("input")); };
  const used = rows(t("consumables"), t("addItem"), [["name", t("itemName"), "text"], ["quantity", t("quantity"), "number"], ["unit", t("unit"), "text"], ["lot", t("lot"), "text"]], given, changed);
  const read = (): Content => ({
    used: used.values().filter((one) => one.name).map((one) => ({ ...one, quantity: number(one.quantity) ?? 0, name_en: planned.find((known) => known.name === one.name)?.name_en ?? "" })),
  });
  const form = kept(visit.id, "consumables", read, () => void done(form, () => keep.write(visit.id, "consumables", read()), home),
    planned.length ? h("p", { class: "muted" }, planned.map((one) => `${both({ zh: one.name, en: one.name_en })} ${t("planned", { n: `${one.quantity} ${one.unit}` })}`).join(" · ")) : null,
    used.element, saveButton());
  return form;
};

const signature: Screen = (visit, _doing, value, home) => {
  const pad = pen(() => busy(pad.element, pad.strokes.length > 0));
  const problem = h("p", { class: "wrong-text", role: "alert" });
  const name = field(t("signerName"), line("name", value.name));
  const reason = field(t("whyNobody"), line("reason", value.reason, { maxlength: 300 }));
  const box = h("div", {}, h("p", {}, t("signHere")), pad.element, button(t("again"), "refresh", () => pad.clear()));
  const show = (by: string): void => {
    name.hidden = by === "patient" || by === "nobody" || by === "";
    reason.hidden = by !== "nobody";
    box.hidden = by === "nobody";
  };
  const read = (): Content => ({ by: picked(form, "by"), name: typed(form, "name"), reason: typed(form, "reason") });
  const form = kept(visit.id, "signature", read, () => {
    const content = read();
    const points = pad.strokes.reduce((sum, stroke) => sum + stroke.length, 0);
    problem.textContent = !content.by ? t("nothing")
      : content.by === "nobody" ? (content.reason ? "" : t("needReason"))
      : points < 5 ? t("signEmpty") : content.by !== "patient" && !content.name ? t("signerName") : "";
    if (problem.textContent) return;
    const drawn = content.by === "nobody" ? {} : { strokes: pad.strokes, width: pad.width, height: pad.height };
    void done(form, () => keep.write(visit.id, "signature", { ...content, ...drawn }), home);
  },
    choice("by", t("signer"), ["patient", "family", "guardian", "nobody"].map((one): [string, string] => [one, t(one)]), String(value.by ?? "patient"), show),
    name, reason, box, problem, saveButton());
  show(String(value.by ?? "patient"));
  return form;
};

const missed: Screen = (visit, _doing, value, home) => {
  const problem = h("p", { class: "wrong-text", role: "alert", hidden: true }, t("needReason"));
  const read = (): Content => ({ cause: picked(form, "cause"), note: typed(form, "note") });
  const causes: [string, string][] = [["nobody_home", t("nobody_home")], ["refused", t("refusedVisit")], ["not_the_patient", t("not_the_patient")], ["not_fit", t("not_fit")], ["unsafe", t("unsafe")], ["other", t("other")]];
  const form = kept(visit.id, "missed", read, async () => {
    const content = read();
    problem.hidden = content.cause !== "";
    if (!content.cause) return;
    const at = await Promise.race([place.locate(4000).catch(() => null), new Promise<null>((resolve) => setTimeout(() => resolve(null), 4000))]);
    const where = at ? { longitude: at.longitude, latitude: at.latitude, accuracy: at.accuracy } : {};
    place.trace(null);
    if (keep.doing(visit.id).traced) await place.flush(visit.id);
    await done(form, () => keep.write(visit.id, "missed", { ...content, where }, (state) => { state.missed = String(content.cause); }), home);
  }, choice("cause", t("cause"), causes, String(value.cause ?? "")), field(t("note"), line("note", value.note, { maxlength: 300 })), problem, saveButton());
  return form;
};

const addendum: Screen = (visit, doing, value, home) => {
  const text = area("text", value.text, 5);
  const form = kept(visit.id, "addendum", () => ({ text: typed(form, "text"), of: "record" }), () => {
    const content = { text: typed(form, "text"), of: "record" };
    if (!content.text) return wrong(text, t("nothing"));
    const at = new Date().toISOString();
    return done(form, () => keep.write(visit.id, "addendum", content, (state) => state.addenda.push({ at, text: content.text })), home);
  }, h("p", { class: "muted" }, t("addendumHow")), ...doing.addenda.map((one) => h("p", { class: "card" }, `${clock(one.at)} ${one.text}`)), field(t("addendum"), text), saveButton());
  return form;
};

const SCREENS: Record<Step, Screen> = {
  identity, check_in: door("check_in"), consent, checklist, vitals, record, photo, consumables, signature, check_out: door("check_out"), missed, addendum,
};
