// What a line says, in words: for who wrote it and is told that it was not simply kept.
import * as keep from "./keep";
import type { Content, Line } from "./model";
import { both, english, t } from "./words";

/** Names of fields by the words of the forms in which they were filled in. */
const LABELS: Record<string, string> = {
  method: "identity", digits: "digits", note: "note", findings: "findings", measures: "measures", teaching: "teaching", next: "nextTime", wounds: "wounds",
  medications: "medications", site: "site", length: "length", width: "width", depth: "depth", tissue: "tissue", exudate: "exudate", name: "itemName",
  dose: "dose", route: "route", lot: "lot", quantity: "quantity", unit: "unit", reason: "outsideReason", cause: "cause", by: "who", service: "consent",
  photos: "photo", subject: "subject", text: "addendum", used: "consumables", strokes: "signature", accuracy: "accuracy", result: "identity", points: "trail",
};
/** What says nothing to a person, or is said by another field. */
const LEFT_OUT = ["media", "content_type", "size", "sha256", "checklist", "version", "ruler", "outline", "name_en", "longitude", "latitude", "where", "of"];
const CODED = ["method", "route", "by", "subject", "cause", "result"];
type Row = [label: string, text: string];

export function said(line: Line): Row[] {
  const { content, kind } = line;
  if (kind === "checklist") return ticks(content);
  if (kind === "vitals") return measured(content);
  const where = typeof content.latitude === "number" ? [[t("position_"), `${content.latitude.toFixed(5)}, ${Number(content.longitude).toFixed(5)}`] as Row] : [];
  const drawn = kind === "signature" || kind === "photo" ? ["width", "height"] : [];
  return [...where, ...rows(content, drawn)];
}

const rows = (content: Content, without: string[] = []): Row[] => Object.entries(content)
  .filter(([name, value]) => !LEFT_OUT.includes(name) && !without.includes(name) && value !== "" && value !== null)
  .map(([name, value]): Row => [t(LABELS[name] ?? name), word(name, value)]);

function word(name: string, value: unknown): string {
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (name === "strokes" || name === "points") return String((value as unknown[]).length);
  if (Array.isArray(value)) return value.map((one) => rows(one as Content).map(([, text]) => text).join(" ")).join(english ? "; " : "；");
  const text = String(value);
  if (name === "cause" && text === "refused") return t("refusedVisit");
  return CODED.includes(name) ? t(text) : text;
}

function ticks(content: Content): Row[] {
  const items = keep.bundle?.checklists.find((one) => one.name === content.checklist)?.items ?? [];
  return Object.entries((content.answers ?? {}) as Record<string, string>).map(([code, answer]) => [both(items.find((one) => one.code === code)) || code, t(answer)]);
}

function measured(content: Content): Row[] {
  const known = keep.bundle?.vitals ?? [];
  return Object.entries((content.values ?? {}) as Record<string, number>).map(([code, value]) => {
    const found = known.find((one) => one.code === code);
    return [both(found) || code, `${value} ${found?.unit ?? ""}`.trim()];
  });
}
