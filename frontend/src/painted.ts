const PATIENCE = 6000;
const UNSEEN = 500;

/** Once the page stands on the screen, not only once it is handed over: canvases and the map take the graphics process,
 * which the first picture would wait for. A page in the background is not painted, so it does not wait for that. */
export function painted(): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, document.visibilityState === "hidden" ? UNSEEN : PATIENCE);
    new PerformanceObserver((list) => {
      if (list.getEntriesByName("first-contentful-paint").length) done();
    }).observe({ type: "paint", buffered: true });
  });
}
