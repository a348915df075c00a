import { bloodPressure, type BloodPressure } from "../bluetooth";

interface Characteristic extends EventTarget {
  value?: DataView;
  startNotifications(): Promise<Characteristic>;
}
interface Bluetooth {
  requestDevice(options: { filters: { services: number[] }[] }): Promise<{
    name?: string;
    gatt: { connect(): Promise<{ getPrimaryService(uuid: number): Promise<{ getCharacteristic(uuid: number): Promise<Characteristic> }> }>; disconnect(): void };
  }>;
}
const [SERVICE, MEASUREMENT] = [0x1810, 0x2a35];
const bluetooth = (navigator as unknown as { bluetooth?: Bluetooth }).bluetooth;

export const hasBluetooth = (): boolean => bluetooth !== undefined;

/** What the next measurement of a cuff says, and the cuff's name. Rejects where none connects within three minutes. */
export async function fromCuff(): Promise<BloodPressure & { device: string }> {
  if (!bluetooth) throw new Error("Bluetooth");
  const device = await bluetooth.requestDevice({ filters: [{ services: [SERVICE] }] });
  const service = await (await device.gatt.connect()).getPrimaryService(SERVICE);
  const values = await (await service.getCharacteristic(MEASUREMENT)).startNotifications();
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => { device.gatt.disconnect(); reject(new Error("timeout")); }, 180_000);
    values.addEventListener("characteristicvaluechanged", () => {
      const found = values.value ? bloodPressure(values.value) : null;
      if (!found) return;
      clearTimeout(late);
      device.gatt.disconnect();
      resolve({ ...found, device: device.name ?? "Bluetooth" });
    });
  });
}
