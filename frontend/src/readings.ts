import "./resident.css";
import "./readings.css";
import { bloodPressure, glucose, idOf } from "./bluetooth";

// Types of Web Bluetooth that the DOM library lacks.
interface Characteristic extends EventTarget {
  value?: DataView;
  startNotifications(): Promise<Characteristic>;
  writeValueWithResponse(value: BufferSource): Promise<void>;
}
interface Service {
  getCharacteristic(uuid: number): Promise<Characteristic>;
}
interface Bluetooth {
  requestDevice(options: { filters: { services: number[] }[] }): Promise<{
    id: string;
    gatt: { connect(): Promise<{ getPrimaryService(uuid: number): Promise<Service> }>; disconnect(): void };
  }>;
}

const form = document.querySelector<HTMLFormElement>("form[data-reading]");
const button = form?.querySelector<HTMLButtonElement>("[data-bluetooth]");
const bluetooth = (navigator as unknown as { bluetooth?: Bluetooth }).bluetooth;
const PROFILES: Record<string, [service: number, measurement: number]> = { blood_pressure: [0x1810, 0x2a35], glucose: [0x1808, 0x2a18] };
const RECORDS = 0x2a52;
const LAST_RECORD = new Uint8Array([1, 6]);
const DAY = 86_400_000;

const say = (name: string): void => {
  if (form) form.dataset.bluetoothState = name;
};
const put = (name: string, value: string): void => {
  const field = form?.elements.namedItem(name);
  if (!(field instanceof HTMLInputElement)) return;
  field.value = value;
  // What was wrong with the typed value is not said of this one.
  field.removeAttribute("aria-invalid");
  const around = field.closest(".field");
  around?.classList.remove("wrong");
  around?.querySelector(".wrong-text")?.remove();
};
const two = (n: number): string => String(n).padStart(2, "0");

/** The device's time where its clock can be right; else the form keeps now. */
function putTime(at: Date | null): void {
  if (!at || at.getTime() > Date.now() + 600_000 || at.getTime() < Date.now() - DAY) return;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  put("at", `${day}T${two(at.getHours())}:${two(at.getMinutes())}`);
}

async function took(kind: string, device: string, view: DataView): Promise<void> {
  if (kind === "glucose") {
    const found = glucose(view);
    if (!found) return say("nothing");
    put("glucose", String(found.glucose));
    putTime(found.at);
  } else {
    const found = bloodPressure(view);
    if (!found) return say("nothing");
    put("systolic", String(found.systolic));
    put("diastolic", String(found.diastolic));
    if (found.pulse) put("pulse", String(found.pulse));
    putTime(found.at);
    if (found.doubts.length) {
      put("id", await idOf(device, view));
      return say("doubt");
    }
  }
  put("id", await idOf(device, view));
  say("taken");
}

async function connect(kind: string): Promise<void> {
  if (!bluetooth) return;
  const [service, measurement] = PROFILES[kind];
  say("searching");
  try {
    const device = await bluetooth.requestDevice({ filters: [{ services: [service] }] });
    say("connecting");
    const found = await (await device.gatt.connect()).getPrimaryService(service);
    const values = await (await found.getCharacteristic(measurement)).startNotifications();
    values.addEventListener("characteristicvaluechanged", () => {
      if (values.value) void took(kind, device.id, values.value);
    });
    say("waiting");
    if (kind === "glucose") {
      const records = await (await found.getCharacteristic(RECORDS)).startNotifications();
      await records.writeValueWithResponse(LAST_RECORD);
    }
  } catch (error) {
    say(error instanceof DOMException && error.name === "NotFoundError" ? "none" : "failed");
  }
}

if (form && button && bluetooth && form.dataset.reading && form.dataset.reading in PROFILES) {
  button.hidden = false;
  button.addEventListener("click", () => void connect(form.dataset.reading ?? ""));
}
