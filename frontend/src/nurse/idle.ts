// The phone locks itself when nobody touches it: it may lie on a stranger's table.
import * as vault from "./vault";

const AFTER = 300_000;
/** Longer, while something would be lost that is kept nowhere yet: a picture that is being taken, a signature. */
const BUSY_AFTER = 1_200_000;
const LOOK = 5_000;
const BUSY = "data-busy";
let touched = Date.now();

/** Whether locking would lose what an element holds. */
export const busy = (element: HTMLElement, is: boolean): boolean => element.toggleAttribute(BUSY, is);

export function start(lock: () => void): void {
  for (const name of ["pointerdown", "pointermove", "keydown", "input"]) addEventListener(name, () => { touched = Date.now(); }, { capture: true, passive: true });
  const look = (): void => {
    const still = Date.now() - touched;
    if (vault.isOpen() && still > (document.querySelector(`[${BUSY}]`) ? BUSY_AFTER : AFTER)) lock();
  };
  setInterval(look, LOOK);
  document.addEventListener("visibilitychange", look);
}

/** Whoever has just typed the PIN is there. */
export const touch = (): void => { touched = Date.now(); };
