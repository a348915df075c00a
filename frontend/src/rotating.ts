// Rotating door codes (engines/doors/qr.py): base45(head + step + HMAC-SHA256(key, head + step)[:size]), step = Unix s / 30.
import qrcode from "qrcode-generator";

export interface Code {
  head: Uint8Array<ArrayBuffer>;
  key: CryptoKey;
  size: number;
  step: number;
}

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

export const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** A key that can sign and cannot be read out again. */
export const importKey = (raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

/** RFC 9285. */
export function base45(content: Uint8Array): string {
  let out = "";
  for (let at = 0; at < content.length; at += 2) {
    const pair = at + 1 < content.length;
    let value = pair ? content[at] * 256 + content[at + 1] : content[at];
    for (let place = 0; place < (pair ? 3 : 2); place++) {
      out += ALPHABET[value % 45];
      value = Math.floor(value / 45);
    }
  }
  return out;
}

/** The text of a code at a moment (Unix seconds). */
export async function textOf(code: Code, seconds: number): Promise<string> {
  const content = new Uint8Array(code.head.length + 4);
  content.set(code.head);
  new DataView(content.buffer).setUint32(code.head.length, Math.floor(seconds / code.step));
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", code.key, content)).slice(0, code.size);
  const whole = new Uint8Array(content.length + mac.length);
  whole.set(content);
  whole.set(mac, content.length);
  return base45(whole);
}

/** A QR code as SVG: version 2 for residents, 3 for visitors, dark on white with a quiet zone of four modules. */
export function svgOf(text: string): string {
  const small = text.length <= 29;
  const qr = qrcode(small ? 2 : 3, small ? "Q" : "M");
  qr.addData(text, "Alphanumeric");
  qr.make();
  const count = qr.getModuleCount();
  let path = "";
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) if (qr.isDark(row, column)) path += `M${column + 4} ${row + 4}h1v1h-1z`;
  }
  const side = count + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges" aria-hidden="true"><path fill="#fff" d="M0 0h${side}v${side}H0z"/><path fill="#10202a" d="${path}"/></svg>`;
}

/** Draws a code into `box` and counts its seconds down in `left`, for as long as the page is there. */
export function keep(box: HTMLElement, left: HTMLElement | null, code: Code, offset: number): void {
  let shown = -1;
  const tick = async (): Promise<void> => {
    const now = Date.now() / 1000 + offset;
    const step = Math.floor(now / code.step);
    if (left) left.textContent = String(Math.ceil((step + 1) * code.step - now));
    if (step === shown) return;
    shown = step;
    box.innerHTML = svgOf(await textOf(code, now));
    box.dataset.drawn = String(step);
  };
  void tick();
  setInterval(() => void tick(), 500);
}
